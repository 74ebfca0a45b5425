"""The likeliest next words, where the model knows sub-words only."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from tasks.vocabulary import JOINER, UNK, Vocabulary

# int32[N, T], sequences of ids that begin with [BOS] -> float[N, V], each one's next piece.
NextPieces = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Suggestion:
    """A word, and the probability that exactly this word comes next."""

    word: str
    probability: float


class WordSearch:
    """Finds whole words by a beam search over their pieces.

    A word's probability is that of its pieces times that of no further continuation piece after
    them, so the probabilities of different words add up to at most 1 (the rest is the end of the
    sentence and words that the vocabulary cannot spell).
    """

    def __init__(
        self, next_pieces: NextPieces, vocabulary: Vocabulary, width: int = 24, max_pieces: int = 10
    ) -> None:
        """Args: next_pieces: the model; width: of the beam; max_pieces: of the longest word."""
        self._next_pieces = next_pieces
        self._vocabulary = vocabulary
        self._width = width
        self._max_pieces = max_pieces
        ids = np.arange(len(vocabulary.pieces))
        continues = np.array([vocabulary.pieces[i].startswith(JOINER) for i in ids])
        self._first = ids[(ids > UNK) & ~continues]
        self._further = ids[(ids > UNK) & continues]

    def likeliest(self, context: Sequence[int], count: int) -> list[Suggestion]:
        """The `count` likeliest next words after `context`, ids that begin with [BOS]."""
        probabilities = self._next_pieces(np.array([context], np.int32))[0]
        partial = self._best([((piece,), probabilities[piece]) for piece in self._first])
        words: list[tuple[tuple[int, ...], float]] = []
        for _ in range(self._max_pieces):
            words.sort(key=lambda word: -word[1])
            # A partial word is at least as likely as any word that it grows into.
            bar = words[count - 1][1] if len(words) >= count else 0.0
            partial = [each for each in partial if each[1] > bar]
            if not partial:
                break
            following = self._next_pieces(
                np.array([[*context, *pieces] for pieces, _ in partial], np.int32)
            )
            grown = []
            for (pieces, probability), row in zip(partial, following, strict=True):
                words.append((pieces, probability * (1.0 - row[self._further].sum())))
                grown += [((*pieces, piece), probability * row[piece]) for piece in self._further]
            partial = self._best(grown)
        words.sort(key=lambda word: -word[1])
        return [
            Suggestion(self._vocabulary.decode(pieces), float(probability))
            for pieces, probability in words[:count]
        ]

    def _best(
        self, partial: list[tuple[tuple[int, ...], float]]
    ) -> list[tuple[tuple[int, ...], float]]:
        return sorted(partial, key=lambda each: -each[1])[: self._width]
