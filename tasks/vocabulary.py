"""The sub-word vocabulary: WordPiece pieces in a plain text file, applied with TF Text.

A word is what stands between single spaces of normalized text. Its first piece is written as it is,
its later pieces begin with "##". So the words of a sequence can be counted, and text decodes back
exactly. A vocabulary of text that is written without spaces has no "##" before such letters: each
of them is a word (`tasks.scripts`), and text decodes back but for the spaces beside them.

Importing this module is cheap; TensorFlow Text is imported by the first `encode` only.
"""

import contextlib
import functools
import hashlib
import itertools
import os
from collections.abc import Iterable, Sequence

import numpy as np

from tasks import scripts
from tasks.errors import TaskError
from tff_lm.token_ids import BOS, EOS, PAD, UNK

SPECIAL_PIECES = ("[PAD]", "[BOS]", "[EOS]", "[UNK]")
JOINER = "##"
# Stands for it where text is looked up: no word holds a space.
CONTINUES = " "


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
        """bool[size]: whether a piece begins a word.

        [UNK] is a character, most often one within a word or among others of its kind: it is taken
        for none, so that characters that nobody knows do not lower the perplexity of a word.
        """
        first = len(SPECIAL_PIECES)
        starts = np.zeros(self.size, dtype=bool)
        starts[first : len(self.pieces)] = [not p.startswith(JOINER) for p in self.pieces[first:]]
        return starts

    @functools.cached_property
    def separates(self) -> bool:
        """Whether letters of scripts without spaces are words: they are pieces, none with "##"."""
        learned = self.pieces[len(SPECIAL_PIECES) :]
        return any(map(scripts.begins_unspaced, learned)) and not any(
            scripts.begins_unspaced(piece.removeprefix(JOINER))
            for piece in learned
            if piece.startswith(JOINER)
        )

    def words(self, text: str) -> list[str]:
        """The words of a normalized text."""
        return (scripts.separate(text) if self.separates else text).split()

    @functools.cached_property
    def hash(self) -> str:
        """Hexadecimal sha256 of the vocabulary's file."""
        return hashlib.sha256(self._to_bytes()).hexdigest()

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Splits sentences into pieces with TF Text, always taking the longest that fits.

        Args:
          texts: Normalized sentences.

        Returns:
          For each sentence, the ids of its pieces, without [BOS] and [EOS]. A character that the
          vocabulary lacks is one [UNK]; the rest of its word is cut as any other.
        """
        words = [self.words(text) for text in texts]
        flat = [word for sentence in words for word in sentence]
        if not flat:
            return [[] for _ in texts]
        # Numbers, not a list of lists: a client may have a million words.
        ids = self._tokenizer.tokenize(np.array([word.encode() for word in flat], dtype=object))
        values, ends = ids.values.numpy().tolist(), ids.row_splits.numpy().tolist()
        bounds = [0, *itertools.accumulate(map(len, words))]
        result: list[list[int]] = []
        for first, last in itertools.pairwise(bounds):
            pieces = values[ends[first] : ends[last]]
            if UNK in pieces:
                pieces = [
                    piece
                    for index in range(first, last)
                    for piece in (
                        self._spell(flat[index])
                        if values[ends[index]] == UNK
                        else values[ends[index] : ends[index + 1]]
                    )
                ]
            result.append(pieces)
        return result

    def _spell(self, word: str) -> list[int]:
        """The pieces of a word that has characters which are none."""
        ids: list[int] = []
        start = 0
        while start < len(word):
            prefix, longest = (
                CONTINUES if start else "",
                min(len(word), start + self._longest_piece),
            )
            known = (
                end for end in range(longest, start, -1) if prefix + word[start:end] in self._id_of
            )
            end = next(known, start + 1)
            ids.append(self._id_of.get(prefix + word[start:end], UNK))
            start = end
        return ids

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
        text = " ".join(words)
        return scripts.join(text) if self.separates else text

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
    def learned_keys(self) -> list[str]:
        """The learned pieces in the order of their ids, `CONTINUES` for "##".

        A user who types "[EOS]" or "##s" must not be taken for the special piece or for a
        continuation; and no word holds a space.
        """
        return [
            CONTINUES + piece.removeprefix(JOINER) if piece.startswith(JOINER) else piece
            for piece in self.pieces[len(SPECIAL_PIECES) :]
        ]

    @functools.cached_property
    def _id_of(self) -> dict[str, int]:
        return {key: index for index, key in enumerate(self.learned_keys, len(SPECIAL_PIECES))}

    @functools.cached_property
    def _longest_piece(self) -> int:
        return max(map(len, self.learned_keys), default=1)

    @functools.cached_property
    def _tokenizer(self):
        import tensorflow_text as tf_text

        specials = [CONTINUES * 2 + piece for piece in SPECIAL_PIECES]
        return tf_text.FastWordpieceTokenizer(
            vocab=specials + self.learned_keys,
            suffix_indicator=CONTINUES,
            unknown_token=specials[UNK],
            no_pretokenization=True,
            max_bytes_per_word=2**30,
        )
