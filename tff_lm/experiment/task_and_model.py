"""What federated and central training have in common: a task, its people, and the model."""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import math
import pathlib
import platform
import re
from collections.abc import Sequence
from typing import Any

import ml_collections

from tasks import batching, preparation, report
from tasks.errors import TaskError
from tasks.target_counts import training_counts
from tasks.task import Task
from tff_lm.client_order import ClientOrder
from tff_lm.config import ConfigError, read
from tff_lm.experiment import baseline, precision, settings
from tff_lm.learning.client_model import ClientModel
from tff_lm.learning.options import PartialOptions
from tff_lm.learning.partial import build_client_model
from tff_lm.learning.weights import Partition
from tff_lm.models import build_model
from tff_lm.models.lora import is_adapter
from tff_lm.models.options import LoraOptions, ModelOptions
from tff_lm.program.contracts import Clients
from tff_lm.run_folder import files
from tff_lm.run_folder.workdir import Workdir
from tff_lm.warm_start import frozen

_PACKAGES = ("tensorflow", "tensorflow-federated", "tensorflow-text", "numpy")


@dataclasses.dataclass(frozen=True)
class Ingredients:
    """Attributes: the prepared data, its people by split, and the model as they train it."""

    config: ml_collections.ConfigDict
    task: Task
    clients: Clients
    client_model: ClientModel

    def facts(self) -> dict[str, Any]:
        """What summary.json says of them."""
        partition = self.client_model.partition
        return {
            "parameters": parameters(partition),
            "trained_parameters": sum(math.prod(partition.shapes[i]) for i in partition.trained),
            "precision": precision.resolve(self.config.runtime.precision),
            "vocabulary_size": self.task.vocabulary.size,
            "training_clients": len(self.clients.train),
            "data": report.figures(self.task),
            "versions": _versions(),
        }

    def unigram(self) -> dict[str, float]:
        """The baseline: of all sentences that may be trained on, on the test targets."""
        batches = settings.evaluation_batches(self.config)
        counts = {
            split: baseline.count_targets(
                batching.make_dataset_fn(self.task.data_path, split, batches),
                [
                    ClientOrder(self.config.seed, 0, client).encode()
                    for client in getattr(self.clients, split)
                ],
                self.task.vocabulary.size,
            )
            for split in ("train", "test")
        }
        starts_word = self.task.starts_word
        return baseline.unigram(counts["train"], counts["test"], starts_word)


def parameters(partition: Partition) -> int:
    """How many a model has, trained or not; low-rank corrections to it are not counted."""
    shapes = zip(partition.names, partition.shapes, strict=True)
    return sum(math.prod(shape) for name, shape in shapes if not is_adapter(name))


def gather(config: ml_collections.ConfigDict) -> Ingredients:
    """Prepares the data and checks the model.

    Raises:
      ConfigError: if the configuration does not fit the data or the model.
    """
    try:
        task = settings.prepared_task(config)
        clients = Clients(**{split: task.client_ids(split) for split in task.splits})
    except TaskError as error:
        raise ConfigError(str(error)) from error
    for split in ("validation", "test"):
        if not getattr(clients, split):
            raise ConfigError(
                f"task.path: task {config.task.name!r} has no {split} client; it needs more users"
            )
    model = client_model(config, task)
    _check_freeze(config, model.partition.names)
    return Ingredients(config, task, clients, model)


def keep_files(found: Ingredients, workdir: Workdir) -> None:
    """Writes the vocabulary beside the run, unless it is there, and the list of unreadable rows."""
    if not workdir.vocabulary.exists():
        found.task.vocabulary.save(str(workdir.vocabulary))
    if found.task.statistics["bad_rows"] and not workdir.bad_rows.exists():
        listed = pathlib.Path(found.task.folder, preparation.BAD_ROWS_FILE)
        files.write_text(workdir.bad_rows, listed.read_text(encoding="utf-8"))


def client_model(config: ml_collections.ConfigDict, task: Task) -> ClientModel:
    """The model as clients train it; raises ConfigError if an option does not fit it."""
    counted = config.model.unigram_bias
    model_fn = functools.partial(
        build_model,
        vocabulary_size=task.vocabulary.size,
        **dataclasses.asdict(read(config, ModelOptions, "model")),
        precision=precision.resolve(config.runtime.precision),
        lora=read(config, LoraOptions, "lora"),
        log_frequencies=baseline.log_frequencies(training_counts(task)) if counted else None,
        seed=config.seed,
    )
    starts_word = task.starts_word.tolist()
    try:
        return build_client_model(
            model_fn,
            starts_word,
            read(config, PartialOptions, "partial"),
            config.seed,
            frozen.frozen(config),
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _check_freeze(config: ml_collections.ConfigDict, names: Sequence[str]) -> None:
    """Raises ConfigError for a pattern that freezes nothing: it would train everything."""
    pattern = config.warm_start.freeze
    if pattern and not any(re.search(pattern, name) for name in names):
        raise ConfigError(
            f"warm_start.freeze={pattern!r} matches no variable; the model has {', '.join(names)}"
        )


def _versions() -> dict[str, str]:
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **packages}
