"""The sub-word vocabulary: WordPiece pieces in a plain text file, applied with TF Text.

A word is what stands between single spaces of normalized text. Its first piece is written as it is,
its later pieces begin with "##". So the words of a sequence can be counted, and text decodes back
exactly.

Importing this module is cheap; TensorFlow Text is imported by the first `encode` only.
"""

import contextlib
import functools
import hashlib
import itertools
import os
from collections.abc import Iterable, Sequence

import numpy as np

from tasks.errors import TaskError

PAD, BOS, EOS, UNK = range(4)
SPECIAL_PIECES = ("[PAD]", "[BOS]", "[EOS]", "[UNK]")
JOINER = "##"


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
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        # Not by `tempfile`, whose files no colleague can read: this one follows the umask.
        temporary = f"{path}.{os.getpid()}.partial"
        try:
            with open(temporary, "wb") as file:
                file.write(self._to_bytes())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
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
            reason = getattr(error, "strerror", None) or str(error)
            raise TaskError(f"cannot read the vocabulary {path}: {reason}; restore it") from error
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
