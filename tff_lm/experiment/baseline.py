"""The unigram baseline: what predicting every token by its frequency alone would reach."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# A scalar string tensor -> a tf.data.Dataset of batches; typed loosely to do without TensorFlow.
DatasetFn = Callable[[Any], Any]


def count_targets(dataset_fn: DatasetFn, specs: Sequence[str], vocabulary_size: int) -> np.ndarray:
    """How often each piece is a target in the data of the clients named by `specs`.

    Returns:
      int64[V]; padding is not counted.
    """
    import tensorflow as tf

    def count(batch: Any) -> Any:
        targets = tf.reshape(batch["y"], [-1])
        return tf.math.bincount(
            targets, minlength=vocabulary_size, maxlength=vocabulary_size, dtype=tf.int64
        )

    counts = tf.data.Dataset.from_tensor_slices(list(specs)).flat_map(dataset_fn).map(count)
    total = counts.reduce(tf.zeros([vocabulary_size], tf.int64), tf.add).numpy()
    total[0] = 0
    return total


def unigram_perplexity(train_counts: np.ndarray, test_counts: np.ndarray) -> float:
    """Perplexity of a unigram model of the training targets on the test targets.

    The model is smoothed by adding one to every piece's count, so that no target is impossible.

    Args:
      train_counts: int64[V], how often each piece is a target in the training clients' data.
      test_counts: int64[V], the same of the test clients; padding counted in neither.

    Returns:
      exp of the mean negative log-likelihood in nats; NaN without test targets.
    """
    if not test_counts.sum():
        return math.nan
    return float(np.exp(-(test_counts @ log_frequencies(train_counts)) / test_counts.sum()))


def log_frequencies(counts: np.ndarray) -> np.ndarray:
    """int64[V] -> float64[V], in nats; one is added to every count, so that all are finite."""
    smoothed = counts.astype(np.float64) + 1.0
    frequencies: np.ndarray = np.log(smoothed) - np.log(smoothed.sum())
    return frequencies
