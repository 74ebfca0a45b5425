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
