"""The unigram baseline: what predicting every token by its frequency alone would reach."""

from __future__ import annotations

import math

import numpy as np


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
    smoothed = train_counts.astype(np.float64) + 1.0
    log_probabilities = np.log(smoothed) - np.log(smoothed.sum())
    return float(np.exp(-(test_counts @ log_probabilities) / test_counts.sum()))
