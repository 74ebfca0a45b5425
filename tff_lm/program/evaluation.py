"""Measuring the model as it stands: on a fixed sample of people, or on all of a split."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from tff_lm import figures
from tff_lm.client_order import ClientOrder
from tff_lm.program import sampling
from tff_lm.program.contracts import Evaluation, Experiment
from tff_lm.registry import nearest
from tff_lm.run_folder.errors import RunError

# Evaluations name their clients in a round that is never trained, so that all of them see the data
# in the same order.
_ROUND = 0

Figures = dict[str, float]


def on_sample(experiment: Experiment) -> dict[str, Figures]:
    """The figures of every measure on the run's fixed sample of `evaluation.clients` people."""
    config = experiment.config
    found: dict[str, Figures] = {}
    for evaluation in experiment.evaluations:
        ids = sampling.evaluation_sample(
            getattr(experiment.clients, evaluation.split),
            config.evaluation.clients,
            seed=config.seed,
        )
        found |= _figures(experiment, _rows(experiment, evaluation, evaluation.split, ids))
    return found


def on_all(experiment: Experiment, evaluation: Evaluation, split: str) -> dict[str, Figures]:
    """The figures of an evaluation's measures on all clients of a split."""
    ids = getattr(experiment.clients, split)
    return _figures(experiment, _rows(experiment, evaluation, split, ids))


def over_clients(
    experiment: Experiment, evaluation: Evaluation, split: str
) -> dict[str, tuple[Figures, dict[str, list[float]]]]:
    """The figures on all clients of a split together, and their spread over the clients.

    Returns:
      For each measure: figures by name, and for each of `figures.QUALITY` that there is the
      `figures.PERCENTILES` of the clients' own.
    """
    rows = _rows(experiment, evaluation, split, getattr(experiment.clients, split))
    return {
        measure: (dict(experiment.summarise(each)), _spread(experiment, each))
        for measure, each in rows.items()
    }


def check_split(experiment: Experiment, split: str) -> None:
    """Raises RunError if nobody is in the split, of which there would be no figures."""
    if not getattr(experiment.clients, split):
        raise RunError(f"the run has no client of the split {split}; its task has none")


def find(experiment: Experiment, name: str) -> Evaluation:
    """The evaluation called `name`; raises RunError naming those that there are."""
    for evaluation in experiment.evaluations:
        if evaluation.name == name:
            return evaluation
    names = [evaluation.name for evaluation in experiment.evaluations]
    raise RunError(f"the run has no evaluation {name!r}{nearest(name, names)}")


def measures(experiment: Experiment) -> tuple[str, ...]:
    """The names of all that is measured, "validation" first."""
    return tuple(itertools.chain(*(each.measures for each in experiment.evaluations)))


def _figures(experiment: Experiment, rows: Mapping[str, np.ndarray]) -> dict[str, Figures]:
    return {measure: dict(experiment.summarise(each)) for measure, each in rows.items()}


def _spread(experiment: Experiment, rows: np.ndarray) -> dict[str, list[float]]:
    single = [experiment.summarise(row[np.newaxis]) for row in rows]
    by_name = {name: np.asarray([each[name] for each in single]) for name in figures.QUALITY}
    return {
        name: np.asarray(np.nanpercentile(values, figures.PERCENTILES)).tolist()
        for name, values in by_name.items()
        if not np.isnan(values).all()
    }


def _rows(
    experiment: Experiment, evaluation: Evaluation, split: str, ids: Sequence[str]
) -> dict[str, np.ndarray]:
    orders = [ClientOrder(experiment.config.seed, _ROUND, name) for name in ids]
    return dict(zip(evaluation.measures, evaluation.rows(split, orders), strict=True))
