"""A batch in parts, each computed on a core of its own, in an order that no clock decides.

TensorFlow spreads one small operation over all cores badly: whole parts of a batch, each on one
thread, keep the cores busy. The parts' gradients are added in their order, so the result depends on
how many parts there are and on nothing else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

# Inputs and targets, x and y int32[B, T], padded with 0 on the right.
Batch = Mapping[str, np.ndarray]


def one_thread_each(parts: int) -> None:
    """Lets TensorFlow run `parts` operations at once, each on one thread.

    Does nothing where TensorFlow has already computed something in this process: then it cannot be
    told any more, and is slower, and no less right.
    """
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(parts)


def split(batch: Batch, parts: int) -> Sequence[Batch]:
    """Deals the sentences of a batch out by length, so that parts are alike in work.

    Args:
      batch: x, y int32[B, T].
      parts: At least 1; fewer come back if there are fewer sentences.
    """
    lengths = np.count_nonzero(batch["y"], axis=1)
    order = np.argsort(-lengths, kind="stable")
    dealt = [order[part::parts] for part in range(min(parts, len(order)))]
    return [
        {name: ids[rows, : lengths[rows].max()] for name, ids in batch.items()} for rows in dealt
    ]
