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

METRIC_NAMES = (
    "nats",  # negative log-likelihood of the real target tokens, in nats
    "tokens",  # real target tokens (padding not counted)
    "words",  # real targets that begin a word
    "top1",  # real targets that were the model's first guess
    "top3",  # ... among its first three
    "examples",  # sentences: rows with at least one real target
    "positions",  # B * T of every batch, padding included
    "batches",
    "non_finite",  # 1 if the client's update was dropped because it was not finite
    "update_square",  # squared l2 norm of the client's update (training only)
)
NUM_METRICS = len(METRIC_NAMES)
PERCENTILES = (10, 50, 90)
_INDEX = {name: i for i, name in enumerate(METRIC_NAMES)}


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
    return row_of(
        nats=tf.reduce_sum(nats),
        tokens=tf.size(labels),
        words=tf.math.count_nonzero(tf.gather(tf.constant(starts_word, tf.bool), labels)),
        top1=tf.math.count_nonzero(tf.math.in_top_k(labels, logits, 1)),
        top3=tf.math.count_nonzero(tf.math.in_top_k(labels, logits, 3)),
        examples=tf.math.count_nonzero(tf.reduce_any(tf.not_equal(targets, 0), axis=1)),
        positions=tf.size(targets),
        batches=1.0,
    )


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


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else float("nan")


def _exp(value: float) -> float:
    return float("inf") if value > 700.0 else float(np.exp(value))


def summarise(per_client: np.ndarray) -> Mapping[str, float]:
    """All figures of a cohort from its matrix of rows.

    Args:
      per_client: float32[cohort, NUM_METRICS]; rows without batches are not counted as clients.

    Returns:
      `loss` (nats per token), `token_perplexity`, `word_perplexity` (exp of nats per word),
      `bits_per_word`, `top1_accuracy`, `top3_accuracy`, `padding_fraction`, `tokens`, `words`,
      `examples`, `clients`, `non_finite_clients`, `update_norm` (mean over clients), and
      `token_perplexity_p10`, `..._p50`, `..._p90`: percentiles over the clients' own perplexities.
      A figure without data is NaN.
    """
    rows = np.asarray(per_client, np.float64).reshape(-1, NUM_METRICS)
    present = rows[(rows[:, _INDEX["batches"]] > 0) | (rows[:, _INDEX["non_finite"]] > 0)]
    counted = present[present[:, _INDEX["tokens"]] > 0]
    total = totals(rows)
    nats_per_word = _ratio(total["nats"], total["words"])
    result = {
        "loss": _ratio(total["nats"], total["tokens"]),
        "token_perplexity": _exp(_ratio(total["nats"], total["tokens"])),
        "word_perplexity": _exp(nats_per_word),
        "bits_per_word": nats_per_word / np.log(2.0),
        "top1_accuracy": _ratio(total["top1"], total["tokens"]),
        "top3_accuracy": _ratio(total["top3"], total["tokens"]),
        "padding_fraction": 1.0 - _ratio(total["tokens"], total["positions"]),
        "tokens": total["tokens"],
        "words": total["words"],
        "examples": total["examples"],
        "clients": float(len(present)),
        "non_finite_clients": total["non_finite"],
        "update_norm": (
            float(np.sqrt(present[:, _INDEX["update_square"]]).mean()) if len(present) else 0.0
        ),
    }
    losses = counted[:, _INDEX["nats"]] / counted[:, _INDEX["tokens"]]
    for percentile in PERCENTILES:
        value = np.percentile(losses, percentile) if len(losses) else float("nan")
        result[f"token_perplexity_p{percentile}"] = _exp(float(value))
    return result
