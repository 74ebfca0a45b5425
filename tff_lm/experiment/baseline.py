"""The unigram baseline: what predicting every token by its frequency alone would reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tff_lm import figures, token_ids

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


def unigram(
    train_counts: np.ndarray, test_counts: np.ndarray, starts_word: np.ndarray
) -> dict[str, float]:
    """The figures of a unigram model of the training targets on the test targets.

    The model is smoothed by adding one to every piece's count, so that no target is impossible. Its
    guesses are always the same: the most frequent pieces.

    Args:
      train_counts: int64[V], how often each piece is a target in the training clients' data.
      test_counts: int64[V], the same of the test clients; padding counted in neither.
      starts_word: bool[V], whether a piece begins a word.

    Returns:
      Those of `tff_lm.figures` that say how well; NaN without test targets.
    """
    nats = -log_frequencies(train_counts)
    # Stable: of equal counts the smaller id goes first, as among equal logits.
    places = np.argsort(np.argsort(-train_counts, kind="stable"), kind="stable")
    by_piece = {
        "nats": test_counts * nats,
        "tokens": test_counts,
        "top1": test_counts * (places < 1),
        "top3": test_counts * (places < 3),
    }
    special = {figures.EOS: token_ids.EOS, figures.UNK: token_ids.UNK}
    sums = {
        **{name: float(values.sum()) for name, values in by_piece.items()},
        **{
            f"{group}_{name}": float(values[piece])
            for group, piece in special.items()
            for name, values in by_piece.items()
        },
        "words": float(test_counts[starts_word].sum()),
        "examples": 0.0,
    }
    found = figures.of(sums)
    return {name: found[name] for name in figures.QUALITY}


def log_frequencies(counts: np.ndarray) -> np.ndarray:
    """int64[V] -> float64[V], in nats; one is added to every count, so that all are finite."""
    smoothed = counts.astype(np.float64) + 1.0
    frequencies: np.ndarray = np.log(smoothed) - np.log(smoothed.sum())
    return frequencies
