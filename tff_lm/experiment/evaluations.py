"""The evaluations of a run: from `evaluation.names` to what the training program calls."""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Callable, Sequence

import ml_collections
import numpy as np

from tff_lm import expressions
from tasks import batching
from tff_lm.client_order import ClientOrder
from tff_lm.config import ConfigError
from tff_lm.evaluations import names
from tff_lm.evaluations.registry import EVALUATIONS, UNSEEN
from tff_lm.experiment import settings, task_and_model
from tff_lm.learning.evaluation import DatasetFn, Measurement, Part
from tff_lm.program.contracts import Evaluation

_Rows = Callable[[Sequence[ClientOrder]], Sequence[np.ndarray]]
# (what is measured, for each of its parts order -> batches) -> its rows by client
Evaluator = Callable[[Measurement, Sequence[DatasetFn]], _Rows]


def build(found: task_and_model.Ingredients, evaluator: Evaluator) -> tuple[Evaluation, ...]:
    """All that is measured, "validation" first.

    Args:
      found: the configured data and model.
      evaluator: where it is computed.

    Raises:
      ConfigError: if an argument of an evaluation is wrong, or two share the name of a measure.
    """
    built = tuple(
        _evaluation(name, measurement, found, evaluator)
        for name, measurement in measurements(found.config).items()
    )
    counts = collections.Counter(measure for each in built for measure in each.measures)
    measure, count = counts.most_common(1)[0]
    if count > 1:
        raise ConfigError(
            f"evaluation.names: two evaluations measure {measure}; give one another name='...'"
        )
    return built


def measurements(config: ml_collections.ConfigDict) -> dict[str, Measurement]:
    """What `evaluation.names` stands for, by name, and "unseen" where there is such text.

    Raises:
      ConfigError: if an argument is wrong, or there is no such text.
    """
    try:
        found = {
            name: expressions.build(str(expression), EVALUATIONS)
            for name, expression in names.parse(config.evaluation.names).items()
        }
    except ValueError as error:
        raise ConfigError(f"evaluation.names: {error}") from error
    if config.task.unseen:
        return (
            found if UNSEEN in found else found | {UNSEEN: expressions.build(UNSEEN, EVALUATIONS)}
        )
    for name, measurement in found.items():
        if UNSEEN in (measurement.split, measurement.final_split):
            raise ConfigError(
                f"evaluation.names: {name} needs task.unseen; say where that text lies"
            )
    return found


def _evaluation(
    name: str,
    measurement: Measurement,
    found: task_and_model.Ingredients,
    evaluator: Evaluator,
) -> Evaluation:
    @functools.cache
    def on_split(split: str) -> _Rows:
        return evaluator(
            measurement,
            [
                batching.make_dataset_fn(found.task.data_path, split, _batches(found.config, part))
                for part in measurement.parts
            ],
        )

    return Evaluation(
        name=name,
        measures=tuple("_".join(filter(None, (name, each))) for each in measurement.measures),
        split=measurement.split,
        final_split=measurement.final_split,
        division=", ".join(map(str, measurement.parts)),
        rows=lambda split, orders: on_split(split)(orders),
    )


def _batches(config: ml_collections.ConfigDict, part: Part) -> batching.BatchSpec:
    """How the sentences of a part become batches."""
    batches = settings.training_batches if part.as_trained else settings.evaluation_batches
    return dataclasses.replace(batches(config), part=(part.first, part.end))
