"""Learns a vocabulary from counted words, with TF Text's WordPiece learner.

Where words are not separated by spaces, letters of such scripts are words (`tasks.scripts`): they
are pieces without "##", of which there is room for nearly as many as the vocabulary has rows.

Importing this module is cheap; TensorFlow Text is imported by `learn` only.
"""

import collections
from collections.abc import Iterable, Mapping, Sequence

from tasks import scripts
from tasks.errors import TaskError
from tasks.vocabulary import JOINER, SPECIAL_PIECES, Vocabulary

# No user's character may be lost to a cap unless the alphabet would fill over half of the
# vocabulary.
_MAX_ALPHABET_SHARE = 0.5
_MAX_LEARNED_WORDS = 30_000
_MAX_PIECE_LENGTH = 50
# The learner is asked for up to 10% more than wanted, then the rarest pieces are cut off.
_SURPLUS = 1.1
_MAX_LEARNING_ATTEMPTS = 12


def count_words(texts: Iterable[str]) -> collections.Counter:
    """Counts of the words of normalized texts."""
    counts: collections.Counter[str] = collections.Counter()
    for text in texts:
        counts.update(text.split())
    return counts


def learn(word_counts: Mapping[str, int], size: int) -> Vocabulary:
    """Learns a vocabulary with TF Text's WordPiece learner.

    Every character of the counted words is a piece, alone and as a continuation, unless the
    alphabet would take over half of the vocabulary (then the rarest characters are left to [UNK]).
    Of text without spaces, the rows that learned pieces leave are for its characters too.

    Args:
      word_counts: How often each word occurs in the training text.
      size: Number of rows, special pieces included.

    Returns:
      A vocabulary of exactly `size` rows, all of them pieces if the text is large enough.

    Raises:
      TaskError: If there are no words, or the size leaves no room for characters.
    """
    if not word_counts:
        raise TaskError("no words to learn a vocabulary from")
    if size < 2 * len(SPECIAL_PIECES):
        raise TaskError(f"a vocabulary of {size} rows is too small")
    separates = not _are_words_separated(word_counts)
    if separates:
        word_counts = _separated(word_counts)
    ranked = _ranked_characters(word_counts)
    required = [*SPECIAL_PIECES, *_alphabet(ranked, size, separates)]
    # Pieces come most frequent first, after the single characters: the rarest are cut off.
    extra = _learn_pieces(word_counts, size)
    if separates:
        # The learner gives every character and its continuation, in the order of the alphabet.
        letters = set(ranked)
        learned = (piece for piece in extra if piece not in letters)
        extra = [*(piece for piece in learned if not _continues_unspaced(piece)), *ranked]
    pieces = list(dict.fromkeys([*required, *extra]))
    return Vocabulary(pieces[:size], size=size)


def _are_words_separated(word_counts: Mapping[str, int]) -> bool:
    return scripts.are_words_separated(
        sum(count * scripts.count_unspaced(word) for word, count in word_counts.items()),
        sum(count * len(word) for word, count in word_counts.items()),
    )


def _separated(word_counts: Mapping[str, int]) -> collections.Counter:
    """Counts of the words where letters of scripts without spaces are words."""
    counts: collections.Counter[str] = collections.Counter()
    for word, count in word_counts.items():
        for part in scripts.separate(word).split():
            counts[part] += count
    return counts


def _continues_unspaced(piece: str) -> bool:
    return piece.startswith(JOINER) and scripts.begins_unspaced(piece.removeprefix(JOINER))


def _ranked_characters(word_counts: Mapping[str, int]) -> list[str]:
    """All characters, the most frequent first."""
    counts: collections.Counter[str] = collections.Counter()
    for word, count in word_counts.items():
        for character in word:
            counts[character] += count
    return sorted(counts, key=lambda each: (-counts[each], each))


def _alphabet(ranked: Sequence[str], size: int, separates: bool) -> list[str]:
    """The most frequent characters, and each that goes on a word as a continuation, sorted."""
    room = int(size * _MAX_ALPHABET_SHARE - len(SPECIAL_PIECES))
    characters: list[str] = []
    continuations: list[str] = []
    for character in ranked:
        alone = separates and scripts.begins_unspaced(character)
        room -= 1 if alone else 2
        if room < 0 and characters:
            break
        characters.append(character)
        if not alone:
            continuations.append(character)
    return sorted(characters) + [JOINER + character for character in sorted(continuations)]


def _learn_pieces(word_counts: Mapping[str, int], size: int) -> list[str]:
    """Runs TF Text's learner at the threshold that yields a little more than `size` pieces.

    The learner's own search halves the interval up to the largest word count, which takes a dozen
    slow passes; sizes fall nearly as a power of the threshold, so a search by that rule takes about
    three.
    """
    words = _learnable_words(word_counts)
    threshold, low, high = max(2, sum(words.values()) // 30_000), 1, None
    pieces: list[str] = []
    for _ in range(_MAX_LEARNING_ATTEMPTS):
        pieces = _learn_at_threshold(words, size, threshold)
        if len(pieces) < size:
            high = threshold
        elif len(pieces) > size * _SURPLUS:
            low = threshold
        else:
            break
        following = _between(round(threshold * len(pieces) / (size * 1.05)), low, high)
        if following is None:
            break
        threshold = following
    if len(pieces) < size and low > 1:
        pieces = _learn_at_threshold(words, size, low)
    return pieces


def _between(guess: int, low: int, high: int | None) -> int | None:
    """The threshold nearest to the guess strictly between two that were tried; None if none is."""
    if high is None:
        return max(guess, low + 1)
    if high - low <= 1:
        return None
    return min(max(guess, low + 1), high - 1)


def _learn_at_threshold(words: Mapping[str, int], size: int, threshold: int) -> list[str]:
    from tensorflow_text.tools.wordpiece_vocab import (
        wordpiece_tokenizer_learner_lib as learner,
    )

    return learner.learn(
        dict(words),
        vocab_size=size,
        reserved_tokens=list(SPECIAL_PIECES),
        upper_thresh=threshold,
        lower_thresh=threshold,
        max_token_length=_MAX_PIECE_LENGTH,
        max_input_tokens=-1,
        max_unique_chars=size,
        joiner=JOINER,
    )


def _learnable_words(word_counts: Mapping[str, int]) -> dict[str, int]:
    """The most frequent words that the learner can take: neither too long nor beginning with ##."""
    words = {
        word: count
        for word, count in word_counts.items()
        if len(word) <= _MAX_PIECE_LENGTH and not word.startswith(JOINER)
    }
    ranked = sorted(words, key=lambda each: (-words[each], each))[:_MAX_LEARNED_WORDS]
    # Single characters are pieces anyway; without any learnable word the learner would fail.
    return {word: words[word] for word in ranked} or {"a": 1}
