"""The configuration in the terms of each package: one small function a package."""

from __future__ import annotations

import inspect
import re
from typing import Any

from ml_collections import ConfigDict

import compression
from tff_lm import paths
from compression import registry
from tasks.batching import BatchSpec
from tff_lm.central.adamw import AdamWOptions
from tff_lm.config import ConfigError
from tff_lm.config.schema import BY_KEY
from tff_lm.experiment import vocabulary
from tff_lm.learning.algorithms import AlgorithmOptions
from tff_lm.learning.evaluation import OwnTraining
from tff_lm.learning.freezing import IsFrozen
from tff_lm.learning.local_training import LocalOptions
from tff_lm.learning.partial import PartialOptions
from tff_lm.learning.schedules import ScheduleOptions
from tff_lm.models.lora import LoraOptions, is_adapter


def task_arguments(config: ConfigDict) -> dict[str, Any]:
    """Keyword arguments of `tasks.task.make_task`."""
    task = config.task
    return {
        "name": task.name,
        "path": paths.resolve(task.path) if task.path else None,
        "cache_dir": paths.resolve(task.cache_dir) if task.cache_dir else None,
        "vocabulary_size": task.vocabulary_size,
        "vocabulary_path": vocabulary.file_of(config) if task.vocabulary else None,
        "lower_case": task.lower_case,
        "min_examples": task.min_examples or None,
        "max_examples": task.max_examples or None,
        "max_clients": task.max_clients or None,
        "user_column": task.user_column,
        "text_column": task.text_column,
    }


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
    return OwnTraining(config.algorithm.client_learning_rate, algorithm(config).local)


def algorithm(config: ConfigDict) -> AlgorithmOptions:
    """The algorithm and its hyperparameters; zeros that stand for "its own" become None."""
    options = config.algorithm
    return AlgorithmOptions(
        name=options.name,
        client_learning_rate=options.client_learning_rate,
        client_optimizer=options.client_optimizer,
        client_momentum=options.client_momentum,
        client_round_schedule=schedule(config.client_schedule),
        server_learning_rate=options.server_learning_rate or None,
        server_momentum=options.server_momentum,
        server_beta_1=options.server_beta_1,
        server_beta_2=options.server_beta_2,
        server_epsilon=options.server_epsilon or None,
        server_schedule=schedule(config.server_schedule),
        proximal_mu=options.proximal_mu or None,
        local=LocalOptions(
            weighting=options.weighting,
            clip_norm=options.clip_norm,
            epochs=config.federated.local_epochs,
            steps=config.federated.local_steps,
            schedule=schedule(config.local_schedule),
        ),
    )


def schedule(section: ConfigDict) -> ScheduleOptions:
    """A learning-rate schedule."""
    return ScheduleOptions(
        name=section.name,
        warmup_steps=section.warmup,
        decay_steps=section.decay,
        final_factor=section.final_factor,
    )


def adamw(config: ConfigDict, steps: int) -> AdamWOptions:
    """The optimizer of a central training of so many steps."""
    options = config.pretrain
    warmup = min(options.warmup, steps)
    return AdamWOptions(
        learning_rate=options.learning_rate,
        schedule=ScheduleOptions(
            name=options.decay,
            warmup_steps=warmup,
            decay_steps=max(steps - warmup, 1),
            final_factor=options.final_factor,
        ),
        weight_decay=options.weight_decay,
        clip_norm=options.clip_norm,
    )


def partial(config: ConfigDict) -> PartialOptions:
    """Which variables are trained."""
    return PartialOptions(
        policy=config.partial.policy,
        fraction=config.partial.fraction,
        pattern=config.partial.include,
        min_size=config.partial.min_size,
        order=config.partial.order,
    )


def lora(config: ConfigDict) -> LoraOptions | None:
    """Low-rank corrections, if there are to be any."""
    options = config.lora
    return LoraOptions(options.rank, options.alpha, options.include) if options.rank else None


def frozen(config: ConfigDict) -> IsFrozen:
    """Which variables are frozen whatever the policy: with LoRA, all matrices of the model."""
    pattern, matrices = config.warm_start.freeze, config.lora.rank > 0

    def is_frozen(name: str, shape: tuple[int, ...]) -> bool:
        if matrices and len(shape) > 1 and not is_adapter(name):
            return True
        return bool(pattern) and re.search(pattern, name) is not None

    return is_frozen


def codec(config: ConfigDict, section: str) -> compression.Codec:
    """The codec of "upload" or "download", with the entropy coder and the rotation around it.

    Raises:
      ConfigError: if an option was set that the codec does not have, or cannot have.
    """
    chosen = config[section]
    fields = set(inspect.signature(registry.CODECS[chosen.codec]).parameters)
    given = {
        name: chosen[name]
        for name in CODEC_OPTIONS
        if chosen[name] != BY_KEY[f"{section}.{name}"].default
    }
    for name in sorted(given.keys() - fields):
        raise ConfigError(
            f"{section}.{name} has no meaning for {section}.codec={chosen.codec!r}, which takes "
            f"{', '.join(sorted(fields)) or 'no option'}"
        )
    try:
        result = compression.make_codec(chosen.codec, **given)
        if chosen.entropy:
            result = compression.make_codec("entropy", inner=result)
        if chosen.rotated:
            result = compression.make_codec("rotated", inner=result)
        if chosen.scaled:
            result = compression.make_codec("scaled", inner=result)
    except ValueError as error:
        raise ConfigError(f"{section}: {error}") from error
    return result


# Options of codecs that the configuration offers, under the names that codecs give them. Those left
# at their defaults are left to the codec.
CODEC_OPTIONS = ("bits", "stochastic", "per_row", "bucket", "fraction", "scale")
