"""What is counted about a client's text: one row of sums, from which all figures derive.

Training and evaluation share the row, `float32[len(METRIC_NAMES)]`.  Rows of a cohort are stacked
into a matrix `float32[cohort, len(METRIC_NAMES)]` at the server, so totals, percentiles and
distributions over clients all come from one aggregation.  A client without data gives a row of
zeros.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from tff_lm import figures, token_ids

METRIC_NAMES = (
    *figures.SUMS,  # of the real targets (padding not counted), and the sentences that they are in
    "positions",  # B * T of every batch, padding included
    "batches",
    "non_finite",  # 1 if the client's update was dropped because it was not finite
    "update_square",  # squared l2 norm of the client's update (training only)
)
NUM_METRICS = len(METRIC_NAMES)
_INDEX = {name: i for i, name in enumerate(METRIC_NAMES)}
_GUESSES = 3


def row_of(**values: tf.Tensor) -> tf.Tensor:
    """A row float32[NUM_METRICS] with the given scalars and zeros elsewhere."""
    return tf.stack([tf.cast(values.get(name, 0.0), tf.float32) for name in METRIC_NAMES])


def batch_row(
    logits: tf.Tensor, labels: tf.Tensor, nats: tf.Tensor, targets: tf.Tensor, starts_word: Any
) -> tf.Tensor:
    """The sums of one batch.

    Args:
      logits: float32[N, V] at the real targets.
      labels: int32[N], the real targets.
      nats: float32[N], negative log-likelihood of each label.
      targets: int32[B, T], the padded targets (0 is padding).
      starts_word: bool[V], whether a token begins a word.

    Returns:
      float32[NUM_METRICS].
    """
    # float32[N, groups]: which sums a target counts in.
    groups = tf.cast(tf.gather(_groups(starts_word), labels), tf.float32)
    # float32[groups, COUNTED]. Not by a product of matrices: these may be of lower precision.
    sums = tf.stack(
        [
            tf.reduce_sum(groups * nats[:, tf.newaxis], axis=0),
            tf.reduce_sum(groups, axis=0),
            *_right_guesses(logits, labels, groups),
        ],
        axis=1,
    )
    of_all, of_eos, of_unk, of_words = tf.unstack(sums)
    examples = tf.math.count_nonzero(tf.reduce_any(tf.not_equal(targets, 0), axis=1))
    ends = [of_words[1], examples, tf.size(targets), 1.0, 0.0, 0.0]
    return tf.concat(
        [
            [tf.reduce_sum(nats)],
            of_all[1:],
            of_eos,
            of_unk,
            [tf.cast(value, tf.float32) for value in ends],
        ],
        axis=0,
    )


def _right_guesses(
    logits: tf.Tensor, labels: tf.Tensor, groups: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """How many targets of each group were the first guess, and among the first three.

    Of equal logits the one with the smaller id goes first, so that each rank has one winner, in any
    precision. Among logits that are not finite no guess is right.

    Args:
      logits: float32[N, V].
      labels: int32[N].
      groups: float32[N, G], 1 where a target is in a group.

    Returns:
      Two of float32[G].
    """
    # `in_top_k` takes every tie for a hit, but is done with most labels after a few logits. Those
    # that it leaves, some three in ten, are ranked exactly, which is slow.
    rows = tf.where(tf.math.in_top_k(labels, logits, _GUESSES))[:, 0]
    guesses = tf.math.top_k(tf.gather(logits, rows), _GUESSES).indices
    right = tf.equal(guesses, tf.gather(labels, rows)[:, tf.newaxis])
    found = tf.gather(groups, rows)
    first, any_of_them = right[:, :1], tf.reduce_any(right, axis=1, keepdims=True)

    def count(hits: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(found * tf.cast(hits, tf.float32), axis=0)

    return count(first), count(any_of_them)


def _groups(starts_word: Any) -> np.ndarray:
    """bool[V, 4]: whether a token counts among all targets, [EOS], [UNK], beginnings of words."""
    groups = np.zeros([len(starts_word), 4], bool)
    groups[:, 0] = True
    groups[token_ids.EOS, 1] = groups[token_ids.UNK, 2] = True
    groups[:, 3] = starts_word
    return groups


def aggregate_rows(rows: tff.Value) -> tff.Value:
    """Stacks the rows: `float32[K]@CLIENTS -> float32[?,K]@SERVER`, in the order of the clients."""
    row_type = tff.TensorType(np.float32, [NUM_METRICS])
    matrix_type = tff.TensorType(np.float32, [None, NUM_METRICS])

    @tff.tensorflow.computation
    def zero():
        # A placeholder with a default hides the static shape: the type says [?, K].
        empty = tf.zeros([0, NUM_METRICS])
        return tf.compat.v1.placeholder_with_default(empty, [None, NUM_METRICS])

    @tff.tensorflow.computation(matrix_type, row_type)
    def accumulate(matrix, row):
        return tf.concat([matrix, row[tf.newaxis]], axis=0)

    @tff.tensorflow.computation(matrix_type, matrix_type)
    def merge(first, second):
        return tf.concat([first, second], axis=0)

    @tff.tensorflow.computation(matrix_type)
    def report(matrix):
        return matrix

    return tff.federated_aggregate(rows, zero(), accumulate, merge, report)


def totals(per_client: np.ndarray) -> dict[str, float]:
    """Sums over the clients, in float64."""
    sums = np.asarray(per_client, np.float64).reshape(-1, NUM_METRICS).sum(axis=0)
    return dict(zip(METRIC_NAMES, sums.tolist(), strict=True))


def summarise(per_client: np.ndarray) -> Mapping[str, float]:
    """All figures of a cohort from its matrix of rows.

    Args:
      per_client: float32[cohort, NUM_METRICS]; rows without batches are not counted as clients.

    Returns:
      Those of `tff_lm.figures`, with percentiles over the clients' own; `padding_fraction`,
      `clients`, `non_finite_clients` and `update_norm` (mean over clients). A figure without data
      is NaN.
    """
    rows = np.asarray(per_client, np.float64).reshape(-1, NUM_METRICS)
    present = rows[(rows[:, _INDEX["batches"]] > 0) | (rows[:, _INDEX["non_finite"]] > 0)]
    total = totals(rows)
    positions = total["positions"]
    return {
        **figures.of(total),
        **figures.spread(dict(zip(METRIC_NAMES, rows.T, strict=True))),
        "padding_fraction": 1.0 - total["tokens"] / positions if positions else float("nan"),
        "clients": float(len(present)),
        "non_finite_clients": total["non_finite"],
        "update_norm": (
            float(np.sqrt(present[:, _INDEX["update_square"]]).mean()) if len(present) else 0.0
        ),
    }
