"""The sub-word vocabulary: WordPiece pieces in a plain text file, learned and applied with TF Text.

A word is what stands between single spaces of normalized text. Its first piece is written as it is,
its later pieces begin with "##". So the words of a sequence can be counted, and text decodes back
exactly.

Importing this module is cheap; TensorFlow Text is imported by `learn` and by the first `encode`
only.
"""

import collections
import functools
import hashlib
import itertools
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tasks.errors import TaskError

PAD, BOS, EOS, UNK = range(4)
SPECIAL_PIECES = ("[PAD]", "[BOS]", "[EOS]", "[UNK]")
JOINER = "##"

# No user's character may be lost to a cap unless the alphabet would fill over half of the
# vocabulary.
_MAX_ALPHABET_SHARE = 0.5
_MAX_LEARNED_WORDS = 30_000
_MAX_PIECE_LENGTH = 50
# The learner is asked for up to 10% more than wanted, then the rarest pieces are cut off.
_SURPLUS = 1.1
_MAX_LEARNING_ATTEMPTS = 12


class Vocabulary:
    """Pieces and their ids: 0 [PAD], 1 [BOS], 2 [EOS], 3 [UNK], then the learned ones.

    A vocabulary has as many rows as it was asked for; those that the text did not fill are never
    encoded.
    """

    def __init__(self, pieces: Sequence[str], size: int | None = None):
        """Creates a vocabulary.

        Args:
          pieces: The pieces in the order of their ids, beginning with `SPECIAL_PIECES`.
          size: Number of rows, at least the number of pieces; by default, equal.

        Raises:
          TaskError: If pieces repeat, are empty, hold white space, or lack the special ones.
        """
        self.pieces = tuple(pieces)
        self.size = len(self.pieces) if size is None else size
        if self.pieces[: len(SPECIAL_PIECES)] != SPECIAL_PIECES:
            raise TaskError(f"a vocabulary begins with {' '.join(SPECIAL_PIECES)}")
        if len(set(self.pieces)) != len(self.pieces):
            raise TaskError("a vocabulary holds each piece once")
        if any(piece.split() != [piece] for piece in self.pieces):
            raise TaskError("a piece is not empty and holds no white space")
        if self.size < len(self.pieces):
            raise TaskError(f"{len(self.pieces)} pieces do not fit into {self.size} rows")

    def __len__(self) -> int:
        return self.size

    @functools.cached_property
    def starts_word(self) -> np.ndarray:
        """bool[size]: whether a piece begins a word; [UNK] stands for a whole word, so it does."""
        starts = np.zeros(self.size, dtype=bool)
        starts[UNK : len(self.pieces)] = [not p.startswith(JOINER) for p in self.pieces[UNK:]]
        return starts

    @functools.cached_property
    def hash(self) -> str:
        """Hexadecimal sha256 of the vocabulary's file."""
        return hashlib.sha256(self._to_bytes()).hexdigest()

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Splits sentences into pieces with TF Text, always taking the longest that fits.

        Args:
          texts: Sentences; words are separated by white space.

        Returns:
          For each sentence, the ids of its pieces, without [BOS] and [EOS]. A word with a character
          that is not in the vocabulary is one [UNK].
        """
        if not texts:
            return []
        import tensorflow as tf

        words = tf.RaggedTensor.from_row_lengths(*_flat_words(texts))
        ids = self._tokenizer.tokenize(words).merge_dims(1, 2)
        values, splits = ids.values.numpy().tolist(), ids.row_splits.numpy().tolist()
        return [values[start:stop] for start, stop in itertools.pairwise(splits)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of a sequence of ids; [PAD], [BOS] and [EOS] are left out."""
        words: list[str] = []
        for index in ids:
            if index in (PAD, BOS, EOS):
                continue
            piece = self.piece(index)
            if index != UNK and piece.startswith(JOINER) and words:
                words[-1] += piece.removeprefix(JOINER)
            else:
                words.append(piece)
        return " ".join(words)

    def piece(self, index: int) -> str:
        """The piece of an id; a row without a piece reads "[unused]"."""
        if not 0 <= index < self.size:
            raise TaskError(f"no piece has the id {index}; ids end at {self.size - 1}")
        return self.pieces[index] if index < len(self.pieces) else "[unused]"

    def save(self, path: str) -> None:
        """Writes one piece a line, and an empty line for each row without a piece; atomic."""
        folder = os.path.dirname(os.path.abspath(path))
        os.makedirs(folder, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=os.path.basename(path))
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._to_bytes())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise

    @classmethod
    def load(cls, path: str) -> "Vocabulary":
        """Reads a file that `save` wrote.

        Raises:
          TaskError: If there is no such file or it holds no vocabulary.
        """
        try:
            with open(path, encoding="utf-8", newline="\n") as file:
                lines = file.read().split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise TaskError(f"cannot read the vocabulary {path}: {error}") from error
        if lines.pop():
            raise TaskError(f"the vocabulary {path} is cut short; prepare the data again")
        try:
            return cls([line for line in lines if line], size=len(lines))
        except TaskError as error:
            raise TaskError(f"{path}: {error}") from error

    def _to_bytes(self) -> bytes:
        rows = self.pieces + ("",) * (self.size - len(self.pieces))
        return "".join(row + "\n" for row in rows).encode()

    @functools.cached_property
    def _tokenizer(self):
        """TF Text's tokenizer under names that no word can hold, since no word holds a space.

        A user who types "[EOS]" or "##s" must not be taken for the special piece or for a
        continuation.
        """
        import tensorflow_text as tf_text

        space = " "
        specials = [space * 2 + piece for piece in SPECIAL_PIECES]
        learned = [
            space + piece.removeprefix(JOINER) if piece.startswith(JOINER) else piece
            for piece in self.pieces[len(SPECIAL_PIECES) :]
        ]
        return tf_text.FastWordpieceTokenizer(
            vocab=specials + learned,
            suffix_indicator=space,
            unknown_token=specials[UNK],
            no_pretokenization=True,
            max_bytes_per_word=2**30,
        )


def _flat_words(texts: Sequence[str]) -> tuple[np.ndarray, list[int]]:
    """All words of the texts as UTF-8 bytes, and the number of words of each text."""
    split = [text.split() for text in texts]
    words = [word.encode() for sentence in split for word in sentence]
    return np.array(words, dtype=object), [len(sentence) for sentence in split]


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
    required = [*SPECIAL_PIECES, *_alphabet(word_counts, size)]
    learned = _learn_pieces(word_counts, size)
    # Pieces come most frequent first, after the single characters: the rarest are cut off.
    extra = [piece for piece in learned if piece not in set(required)]
    return Vocabulary((required + extra)[:size], size=size)


def _alphabet(word_counts: Mapping[str, int], size: int) -> list[str]:
    """The most frequent characters, and each of them as a continuation, sorted."""
    counts: collections.Counter[str] = collections.Counter()
    for word, count in word_counts.items():
        for character in word:
            counts[character] += count
    room = int(size * _MAX_ALPHABET_SHARE - len(SPECIAL_PIECES)) // 2
    ranked = sorted(counts, key=lambda each: (-counts[each], each))
    characters = sorted(ranked[: max(1, room)])
    return characters + [JOINER + character for character in characters]


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
