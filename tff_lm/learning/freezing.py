"""Variables that are frozen for a whole run, by name: before any policy of `partial` chooses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from tff_lm.learning.weights import Partition

# A variable's name and shape -> whether it is frozen.
IsFrozen = Callable[[str, tuple[int, ...]], bool]


def nothing(name: str, shape: tuple[int, ...]) -> bool:
    """Freezes no variable."""
    del name, shape
    return False


def freeze(partition: Partition, is_frozen: IsFrozen) -> Partition:
    """The partition without the variables that are frozen.

    Raises:
      ValueError: If none is left to train.
    """
    trained = tuple(
        i for i in partition.trained if not is_frozen(partition.names[i], partition.shapes[i])
    )
    if not trained:
        raise ValueError(
            f"all of {', '.join(partition.trained_names)} are frozen: nothing is left to train"
        )
    return dataclasses.replace(partition, trained=trained)


def trained_part(partition: Partition) -> Partition:
    """The trained variables as a partition of their own, in which all are trained."""
    shapes = tuple(partition.shapes[i] for i in partition.trained)
    everything = tuple(range(len(shapes)))
    return Partition(partition.trained_names, shapes, everything, partition.matrices)
