"""Texts longer than the model looks at: windows, so that none of their pieces is left out.

A window ends where a sentence does, if one does in its second half; else before a word; within a
word only if that fills the window. A window begins with [BOS]; only the last one of a text ends
with [EOS], because only there the end was seen.
"""

from collections.abc import Sequence

import numpy as np

from tasks.errors import TaskError
from tasks.vocabulary import BOS, EOS, JOINER, Vocabulary

_ENDS = tuple(".!?\u2026\u3002\uff01\uff1f\u0964\u0965\u06d4\u061f\u17d4\u104b\u0f0d")
_CLOSERS = "\"')]}\u00bb\u300d\u300f"


class Windows:
    """Cuts the pieces of a text into the rows that a model is trained and tested on."""

    def __init__(self, vocabulary: Vocabulary, max_length: int):
        """Takes `max_length`, the most targets of a row, at least 2; raises TaskError."""
        if max_length < 2:
            raise TaskError(f"max_length is a whole number of at least 2, not {max_length!r}")
        self.max_length = max_length
        self._starts_word = vocabulary.starts_word
        texts = [piece.removeprefix(JOINER) for piece in vocabulary.pieces]
        unused = [False] * (vocabulary.size - len(texts))
        self._closes = np.array([not text.strip(_CLOSERS) for text in texts] + unused)
        self._ends = np.array([text.rstrip(_CLOSERS).endswith(_ENDS) for text in texts] + unused)

    def rows(self, ids: Sequence[int]) -> list[list[int]]:
        """The rows of a text of pieces `ids`: at least one, together all of them in their order."""
        rows: list[list[int]] = []
        start = 0
        while len(ids) + 1 - start > self.max_length:
            end = self._end(ids, start)
            rows.append([BOS, *ids[start:end]])
            start = end
        return [*rows, [BOS, *ids[start:], EOS]]

    def _end(self, ids: Sequence[int], start: int) -> int:
        """Where the window that begins at `start` ends; something is left for the next one."""
        last = min(start + self.max_length, len(ids) - 1)
        words = [end for end in range(last, start, -1) if self._starts_word[ids[end]]]
        half = start + self.max_length // 2
        sentences = (end for end in words if end > half and self._ends_sentence(ids, end))
        return next(sentences, words[0] if words else last)

    def _ends_sentence(self, ids: Sequence[int], end: int) -> bool:
        while end > 1 and self._closes[ids[end - 1]]:
            end -= 1
        return bool(self._ends[ids[end - 1]])
