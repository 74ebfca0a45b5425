"""Central training as an experiment: everybody's text in one place, a federation of one client.

A round is `pretrain.steps_per_round` steps. So the training program of `bin.train` serves
`bin.pretrain` too, and what either leaves is read in one way.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence

import ml_collections
import numpy as np

from compression.ledger import CommunicationLedger
from tasks import batching
from tasks.stream import BatchStream
from tff_lm.central.options import PretrainOptions
from tff_lm.central.runtime import CentralRuntime
from tff_lm.central.trainer import CentralTrainer
from tff_lm.config import ConfigError, read
from tff_lm.experiment import central_plan, settings, task_and_model
from tff_lm.learning import metrics
from tff_lm.program.contracts import Clients, Experiment
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
    task_and_model.keep_vocabulary(found, workdir)
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
            clients=Clients([_EVERYBODY], found.clients.validation, found.clients.test),
            runtime=runtime,
            begin=start.beginning(runtime, started, leaves),
            longest_first=list,
            client_spec=batching.client_spec,
            evaluate=_evaluator(found, trainer),
            summarise=metrics.summarise,
            passes=1,
            ledger=CommunicationLedger(task_and_model.parameters(partition)),
            unigram_perplexity=found.unigram_perplexity,
            vocabulary_hash=found.task.vocabulary.hash,
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


def _evaluator(
    found: task_and_model.Ingredients, trainer: CentralTrainer
) -> Callable[[str, Sequence[str]], np.ndarray]:
    """(split, specs) -> float32[clients, K], on the trainer's present weights."""

    @functools.cache
    def of_split(split: str) -> Callable[[Sequence[str]], np.ndarray]:
        batches = settings.evaluation_batches(found.config)
        return trainer.evaluator(batching.make_dataset_fn(found.task.data_path, split, batches))

    return lambda split, specs: of_split(split)(specs)
