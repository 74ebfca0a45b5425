"""How long a central training is: its options that follow from the corpus and the machine."""

from __future__ import annotations

import ml_collections

from tasks.errors import TaskError
from tasks.shuffling import BlockShuffle
from tasks.task import Task
from tff_lm.central import batch_parts
from tff_lm.config import ConfigError, validate
from tff_lm.experiment import settings
from tff_lm.runtime.processes.cores import available_cores


def resolve(config: ml_collections.ConfigDict) -> ml_collections.ConfigDict:
    """Fills in what `pretrain` leaves open; prepares the data for it.

    Returns:
      A copy in which a round is `pretrain.steps_per_round` steps, `federated.rounds` covers the
      passes, the one client has everybody's text, and `pretrain.parts` is a number: a run is
      repeatable with the same number of parts only. Of a resolved configuration, the same.

    Raises:
      ConfigError: if `pretrain.passes` is 0, or the data cannot be prepared.
    """
    if not config.pretrain.passes:
        raise ConfigError("pretrain.passes is missing: how often to go through the text, such as 3")
    cores = config.pretrain.parts or available_cores()
    # Before anything is computed: TensorFlow makes its threads at once.
    batch_parts.one_thread_each(cores)
    try:
        task = settings.prepared_task(config)
    except TaskError as error:
        raise ConfigError(str(error)) from error
    resolved = validate(config)
    resolved.federated.rounds = -(-steps(config, task) // config.pretrain.steps_per_round)
    resolved.federated.clients_per_round = 1
    resolved.pretrain.parts = cores
    return resolved


def shuffle(config: ml_collections.ConfigDict, task: Task) -> BlockShuffle:
    """The order of the training sentences."""
    return BlockShuffle(
        task.client_sizes("train"),
        batch_size=config.pretrain.batch_size,
        block_size=config.pretrain.block_sentences,
        seed=config.seed,
    )


def steps(config: ml_collections.ConfigDict, task: Task) -> int:
    """How many steps the training takes."""
    order = shuffle(config, task)
    whole = sum(order.batches_of_pass(number) for number in range(config.pretrain.passes))
    return min(whole, config.pretrain.steps or whole)
