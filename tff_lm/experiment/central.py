"""Central training as an experiment: everybody's text in one place, a federation of one client.

A round is `pretrain.steps_per_round` steps. So the training program of `bin.train` serves
`bin.pretrain` too, and what either leaves is read in one way.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterator

import ml_collections

from compression.ledger import CommunicationLedger
from tasks.stream import BatchStream
from tff_lm.central.options import PretrainOptions
from tff_lm.central.runtime import CentralRuntime
from tff_lm.central.trainer import CentralTrainer
from tff_lm.config import ConfigError, read
from tff_lm.experiment import central_plan, evaluations, settings, task_and_model
from tff_lm.learning import metrics
from tff_lm.program.contracts import Experiment
from tff_lm.run_folder.workdir import Workdir
from tff_lm.warm_start import start

# The one client of every cohort; evaluations are on the task's own.
_EVERYBODY = "everybody"


@contextlib.contextmanager
def build_central(config: ml_collections.ConfigDict, workdir: Workdir) -> Iterator[Experiment]:
    """Prepares the data and builds the model, in this process.

    Raises:
      ConfigError: if the configuration does not fit the data or the model.
    """
    if config != central_plan.resolve(config):
        raise ConfigError("pretrain.passes is for bin.pretrain: run that with the same flags")
    found = task_and_model.gather(config)
    steps = central_plan.steps(config, found.task)
    partition = found.client_model.partition
    started = start.find(config, workdir, partition, found.task.vocabulary)
    leaves = {name: f"weights/{name}" for name in partition.names}
    task_and_model.keep_files(found, workdir)
    with contextlib.closing(
        CentralTrainer(
            found.client_model,
            read(config, PretrainOptions, "pretrain"),
            steps=steps,
            seed=config.seed,
        )
    ) as trainer:
        runtime = _runtime(found, trainer, steps)
        yield Experiment(
            config=config,
            clients=dataclasses.replace(found.clients, train=[_EVERYBODY]),
            runtime=runtime,
            begin=start.beginning(runtime, started, leaves),
            longest_first=list,
            evaluations=evaluations.build(
                found, functools.partial(trainer.evaluator, training=settings.own_training(config))
            ),
            summarise=metrics.summarise,
            passes=1,
            ledger=CommunicationLedger(task_and_model.parameters(partition)),
            unigram=found.unigram,
            vocabulary_hash=found.task.vocabulary.hash,
            data_hash=found.task.data_hash,
            weight_leaves=leaves,
            facts={**found.facts(), "algorithm": "central", "steps": steps},
        )


def _runtime(
    found: task_and_model.Ingredients, trainer: CentralTrainer, steps: int
) -> CentralRuntime:
    config = found.config
    stream = BatchStream(
        found.task.data_path,
        "train",
        central_plan.shuffle(config, found.task),
        config.federated.max_length,
    )
    return CentralRuntime(
        trainer,
        stream.batch,
        steps_per_round=config.pretrain.steps_per_round,
        total_steps=steps,
    )
