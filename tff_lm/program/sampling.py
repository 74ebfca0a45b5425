"""Which clients take part: a pure function of (seed, round), so that there is no state to save."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Keeps the two draws of one seed apart.
_COHORT, _EVALUATION = 0, 1


def cohort(client_ids: Sequence[str], size: int, *, seed: int, round_number: int) -> list[str]:
    """The `size` different clients of a round, uniformly drawn.

    The same for the same (seed, round_number) and set of clients, in whatever order they come.

    Raises:
      ValueError: if there are fewer clients than `size`.
    """
    return _draw(client_ids, size, (_COHORT, seed, round_number))


class Attendance:
    """Who takes part for the first time: derived from all earlier cohorts, so not saved either."""

    def __init__(self, client_ids: Sequence[str], size: int, *, seed: int):
        """See `cohort`, of which these are the arguments."""
        self._client_ids, self._size, self._seed = sorted(client_ids), size, seed
        self._met: set[str] = set()
        self._newcomers: list[int] = []  # by round, from 1

    def newcomers(self, round_number: int) -> int:
        """How many of a round's cohort are in none of the rounds before it, which begin at 1.

        Draws each round up to this one a single time, be it asked for or not.
        """
        for number in range(len(self._newcomers) + 1, round_number + 1):
            drawn = cohort(self._client_ids, self._size, seed=self._seed, round_number=number)
            self._newcomers.append(len(set(drawn) - self._met))
            self._met.update(drawn)
        return self._newcomers[round_number - 1]


def evaluation_sample(client_ids: Sequence[str], size: int, *, seed: int) -> list[str]:
    """The fixed sample of a run on which rounds are compared; all clients if there are fewer."""
    return _draw(client_ids, min(size, len(client_ids)), (_EVALUATION, seed))


def _draw(client_ids: Sequence[str], size: int, entropy: tuple[int, ...]) -> list[str]:
    if size > len(client_ids):
        raise ValueError(f"cannot draw {size} different clients out of {len(client_ids)}")
    ordered = sorted(client_ids)
    # Sorting random keys depends on the bit stream alone, which NumPy keeps stable between
    # versions; the algorithm of Generator.choice it does not.
    keys = np.random.Philox(np.random.SeedSequence(entropy)).random_raw(len(ordered))
    return [ordered[index] for index in np.argsort(keys, kind="stable")[:size]]
