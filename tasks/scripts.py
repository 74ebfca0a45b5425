"""Scripts that are written without spaces between words.

In such text what stands between two spaces is a sentence, not a word. So each letter, with the
marks that belong to it, is taken for a word of its own there, as BERT does with Chinese (Devlin et
al. 2018, arXiv 1810.04805; its tokenizer does so for Han alone).
"""

import re
import unicodedata

_HAN = (
    (0x3001, 0x303F),  # its marks
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFD),
)
_OTHERS = (
    (0x0E00, 0x0E7F),  # Thai
    (0x0E80, 0x0EFF),  # Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # Katakana
    (0xA9E0, 0xA9FF),  # Myanmar
    (0xAA60, 0xAA7F),  # Myanmar
)
# Above this share of a text's characters (spaces not counted), its words are not separated.
_MOST_UNSPACED = 0.1

_CHARACTERS = "".join(f"{chr(first)}-{chr(last)}" for first, last in _HAN + _OTHERS)
_MARKS = "".join(
    chr(point)
    for first, last in _OTHERS
    for point in range(first, last + 1)
    if unicodedata.category(chr(point)) in ("Mn", "Mc")
)
# For Python's `re` and for RE2, of which TensorFlow's operations make use.
WORD_PATTERN = f"([{_CHARACTERS}][{_MARKS}]*)"
WORD_REWRITE = r" \1 "

_WORD = re.compile(WORD_PATTERN)
_CHARACTER = re.compile(f"[{_CHARACTERS}]")
_SPACE_BESIDE = re.compile(f"(?<=[{_CHARACTERS}]) | (?=[{_CHARACTERS}])")


def begins_unspaced(text: str) -> bool:
    """Whether a text begins with a letter of such a script, not with a mark."""
    return bool(_CHARACTER.match(text)) and text[0] not in _MARKS


def count_unspaced(text: str) -> int:
    """How many of a text's characters are of such scripts."""
    return 0 if text.isascii() else len(_CHARACTER.findall(text))


def are_words_separated(unspaced: int, characters: int) -> bool:
    """Whether a text's words stand between spaces.

    Args:
      unspaced: How many of its characters are of scripts without spaces.
      characters: How many it has, spaces not counted.
    """
    return unspaced <= _MOST_UNSPACED * characters


def separate(text: str) -> str:
    """Puts spaces around each letter of such scripts."""
    return text if text.isascii() else _WORD.sub(WORD_REWRITE, text)


def join(text: str) -> str:
    """Takes back the spaces beside letters of such scripts, those of the user too."""
    return text if text.isascii() else _SPACE_BESIDE.sub("", text)
