"""Which sentences are prose that a person might type: rules by name."""

import re
from collections.abc import Callable

from tasks.commits.lines import plain_share

FEWEST_WORDS, MOST_WORDS = 3, 60
MAX_WORD_LENGTH = 25
_LEAST_PLAIN = 0.75

_URL = re.compile(r"://|\bwww\.\w|\b[\w-]+\.(?:org|com|net|io|de|dev|edu|gov)\b", re.IGNORECASE)
# Of mail, of the network, of devices, of memory.
_ADDRESS = re.compile(
    r"\w@\w|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-f]{2}[:-]){3}[0-9a-f]{2}\b|"
    r"\b0x[0-9a-f]{2,}|\bat \S+ dot\b",
    re.IGNORECASE,
)
_HASH = re.compile(
    r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,}\b|\b\d{7,}\b|\b\d{8}[-T]\d{4,}"
)
_REPORT = re.compile(r"#\d+|\bCVE-\d|\b(?:BZ|bug|issue|PR|CID)[ #-]*\d{3,}", re.IGNORECASE)
# Signs of programs; an option or a call within words is what people write of.
_CODE = re.compile(
    r"[{}\\^~|]|->|::|[=!<>+]=|&&|[\w)]=[\w\"']|\$\w|;\S|\w\[\w*\]|<\w+>|%\w|\.\.?/|(?:^|\s)[#=+]|\*\w"
)
_FOREIGN_SHARE = 0.1
_COMMON_WORDS = """
a all also an and any are as at be been before between but by can can't currently do does doesn't
don't due first fix for from get had has have here if in instead into is isn't it its last make more
most new no not now of old on one only or other over per remove same set should so some support than
that the then there they this to two under use used using via was we were when where which while
will with without would you
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_LONG_ENOUGH_FOR_COMMON = 10


def _few_words(text: str) -> bool:
    return len(text.split()) < FEWEST_WORDS


def _many_words(text: str) -> bool:
    return len(text.split()) > MOST_WORDS


def _overlong_word(text: str) -> bool:
    return any(len(word) > MAX_WORD_LENGTH for word in text.split())


def _foreign(text: str) -> bool:
    """Whether it is in another language, or its bytes were none of the encoding that they claim."""
    if not text.isascii():
        others = sum(character.isalpha() and not character.isascii() for character in text)
        if others > _FOREIGN_SHARE * len(text) or "\ufffd" in text:
            return True
    words = text.lower().split()
    return len(words) >= _LONG_ENOUGH_FOR_COMMON and not _COMMON.intersection(words)


def _names_and_numbers(text: str) -> bool:
    """Whether it is made of identifiers, numbers and signs rather than of words."""
    return plain_share(text) < _LEAST_PLAIN or not any(c.islower() for c in text)


# In the order in which they are asked.
RULES: dict[str, Callable[[str], object]] = {
    "address": _ADDRESS.search,
    "url": _URL.search,
    "hash": _HASH.search,
    "report_number": _REPORT.search,
    "few_words": _few_words,
    "many_words": _many_words,
    "overlong_word": _overlong_word,
    "foreign": _foreign,
    "code": _CODE.search,
    "names_and_numbers": _names_and_numbers,
}


def broken_rule(sentence: str) -> str | None:
    """The name of the first rule that leaves a sentence out; None if it stays."""
    return next((name for name, breaks in RULES.items() if breaks(sentence)), None)
