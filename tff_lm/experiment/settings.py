"""The configuration in the terms of each package, where its options are not these already."""

from __future__ import annotations

import dataclasses
from typing import Any

from ml_collections import ConfigDict

from tff_lm import expressions, paths
from compression.aggregation import UpdateAggregator
from compression.codec import Codec
from compression.registry import CLIENT_TRANSFORMS, RULES, SUM_TRANSFORMS, codec_of
from tasks.batching import BatchSpec
from tasks.options import TaskOptions
from tasks.task import Task, make_task
from tff_lm.config import ConfigError, read
from tff_lm.experiment import vocabulary
from tff_lm.learning.evaluation import OwnTraining
from tff_lm.learning.options import AlgorithmOptions, LearningOptions, ScheduleOptions
from tff_lm.registry import Registry


def task(config: ConfigDict) -> TaskOptions:
    """The task, its paths absolute, `vocabulary` that of a file.

    Raises:
      ConfigError: if there is no such vocabulary.
      TaskError: if the task whose vocabulary it is cannot be prepared.
    """
    options = read(config, TaskOptions, "task")
    options = dataclasses.replace(
        options,
        path=paths.resolve_list(options.path),
        unseen=paths.resolve_list(options.unseen),
        cache_dir=paths.resolve(options.cache_dir) if options.cache_dir else "",
    )
    if not options.vocabulary:
        return options
    return dataclasses.replace(options, vocabulary=vocabulary.file_of(options))


def prepared_task(config: ConfigDict) -> Task:
    """The task, its texts in rows of at most `federated.max_length`; raises as `task` does."""
    return make_task(task(config), max_length=config.federated.max_length)


def training_batches(config: ConfigDict) -> BatchSpec:
    """How a training client's sentences become batches."""
    federated = config.federated
    return BatchSpec(
        batch_size=federated.batch_size,
        max_length=federated.max_length,
        examples_per_client=federated.examples_per_client,
    )


def evaluation_batches(config: ConfigDict) -> BatchSpec:
    """How the sentences of an evaluated client become batches: all of them, in a fixed order."""
    return BatchSpec(
        batch_size=config.evaluation.batch_size,
        max_length=config.federated.max_length,
        examples_per_client=config.evaluation.examples_per_client or None,
        shuffle=False,
    )


def own_training(config: ConfigDict) -> OwnTraining:
    """How clients train, for evaluations that train, too."""
    return OwnTraining(config.algorithm.client_learning_rate, learning(config))


def learning(config: ConfigDict, population: int = 1) -> LearningOptions:
    """All that clients and server compute with, for so many clients in all."""
    return LearningOptions(
        algorithm=read(config, AlgorithmOptions, "algorithm"),
        server_schedule=read(config, ScheduleOptions, "server_schedule"),
        client_schedule=read(config, ScheduleOptions, "client_schedule"),
        local_schedule=read(config, ScheduleOptions, "local_schedule"),
        local_epochs=config.federated.local_epochs,
        local_steps=config.federated.local_steps,
        population=population,
    )


def codec(config: ConfigDict, section: str) -> Codec:
    """The codec of "upload" or "download".

    Raises:
      ConfigError: if the codec refuses an argument.
    """
    try:
        return codec_of(config[section].codec)
    except ValueError as error:
        raise ConfigError(f"{section}.codec: {error}") from error


def aggregator(config: ConfigDict, *, beside: bool = False) -> UpdateAggregator:
    """How clients' updates are transformed, coded and combined.

    Args:
      config: validated.
      beside: whether it is of what an algorithm uploads beside the update: its noise is another.

    Raises:
      ConfigError: if a part is unknown or refuses an argument.
    """
    chosen = config.aggregation
    return UpdateAggregator(
        codec(config, "upload"),
        client_transforms=_parts("client_transforms", chosen.client_transforms, CLIENT_TRANSFORMS),
        rule=_parts("rule", chosen.rule, RULES)[0],
        sum_transforms=_parts("sum_transforms", chosen.sum_transforms, SUM_TRANSFORMS),
        min_elements=config.upload.min_elements,
        measure_error=config.upload.measure_error,
        # Seeds of runs are not negative.
        seed=-1 - config.seed if beside else config.seed,
    )


def _parts(key: str, text: str, registry: Registry[Any]) -> tuple[Any, ...]:
    try:
        return expressions.build_many(text, registry)
    except ValueError as error:
        raise ConfigError(f"aggregation.{key}: {error}") from error
