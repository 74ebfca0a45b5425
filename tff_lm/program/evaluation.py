"""Measuring the model as it stands: on a fixed sample of people, or on all of a split."""

from __future__ import annotations

import numpy as np

from tff_lm.client_order import ClientOrder
from tff_lm.program import sampling
from tff_lm.program.contracts import Experiment

# Evaluations name their clients in a round that is never trained, so that all of them see the data
# in the same order.
_ROUND = 0
# What is shown of a split, with its spread over the clients.
FIGURES = (
    "token_perplexity",
    "word_perplexity",
    "bits_per_word",
    "top1_accuracy",
    "top3_accuracy",
)
PERCENTILES = (10, 50, 90)


def on_sample(experiment: Experiment) -> dict[str, float]:
    """The figures on the run's fixed sample of `evaluation.clients` validation clients."""
    config = experiment.config
    ids = sampling.evaluation_sample(
        experiment.clients.validation, config.evaluation.clients, seed=config.seed
    )
    return dict(experiment.summarise(_rows(experiment, "validation", ids)))


def on_all(experiment: Experiment, split: str) -> dict[str, float]:
    """The figures on all clients of "validation" or "test"."""
    ids = getattr(experiment.clients, split)
    return dict(experiment.summarise(_rows(experiment, split, ids)))


def over_clients(
    experiment: Experiment, split: str
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """The figures on all clients of a split together, and their spread over the clients.

    Returns:
      Figures by name, and for each the PERCENTILES of the clients' own figures.
    """
    rows = _rows(experiment, split, getattr(experiment.clients, split))
    single = [experiment.summarise(row[np.newaxis]) for row in rows]
    spread = {
        name: np.asarray(
            np.nanpercentile([figures[name] for figures in single], PERCENTILES)
        ).tolist()
        for name in FIGURES
    }
    return dict(experiment.summarise(rows)), spread


def _rows(experiment: Experiment, split: str, ids: list[str]) -> np.ndarray:
    orders = [ClientOrder(experiment.config.seed, _ROUND, name) for name in ids]
    return experiment.evaluate(split, orders)
