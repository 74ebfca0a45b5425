"""From a configuration to an experiment: the one place where all packages are put together."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ml_collections
import numpy as np
import tensorflow_federated as tff

from compression.aggregation import CompressedMeanFactory
from compression.broadcast import build_compressed_broadcast
from tasks import batching
from tasks.errors import TaskError
from tasks.splitting import SPLITS
from tasks.task import Task, make_task
from tff_lm.config import ConfigError
from tff_lm.learning import metrics, specs, weights
from tff_lm.learning.build import build_learning_process
from tff_lm.learning.client_work import ClientModel
from tff_lm.learning.evaluation import build_evaluation
from tff_lm.models import build_model
from tff_lm.program import baseline, precision, settings
from tff_lm.program.contracts import Clients, Experiment
from tff_lm.program.workdir import Workdir
from tff_lm.runtime.resident import ResidentProcess, ResidentRuntime
from tff_lm.runtime.worker import LocalWorker, WorkerOptions

_PACKAGES = ("tensorflow", "tensorflow-federated", "tensorflow-text", "numpy")


@contextlib.contextmanager
def build_experiment(config: ml_collections.ConfigDict, workdir: Workdir) -> Iterator[Experiment]:
    """Prepares the data, builds the learning process, starts the workers; ends them on exit.

    Raises:
      ConfigError: if the configuration does not fit the data.
    """
    task = _make_task(config)
    clients = Clients(**{split: task.client_ids(split) for split in SPLITS})
    _check_cohort(config, clients)
    if not workdir.vocabulary.exists():
        task.vocabulary.save(str(workdir.vocabulary))
    precision_name = precision.resolve(config.runtime.precision)
    model_fn = functools.partial(
        build_model,
        config.model.name,
        task.vocabulary.size,
        dropout=config.model.dropout,
        precision=precision_name,
        seed=config.seed,
    )
    partition = weights.full_partition(model_fn)
    process = _learning_process(config, model_fn, partition, task)
    with ResidentRuntime(_workers(config, workdir), config.runtime.chunk_size or None) as runtime:
        resident = ResidentProcess(
            runtime,
            process.initialize,
            specs.with_client_specs(
                process,
                batching.make_dataset_fn(
                    task.data_path, "train", settings.training_batches(config)
                ),
            ),
        )
        yield Experiment(
            config=config,
            clients=clients,
            runtime=resident,
            client_spec=batching.client_spec,
            evaluate=_evaluator(config, model_fn, partition, task, process, resident),
            summarise=metrics.summarise,
            round_bytes=_round_bytes,
            unigram_perplexity=lambda: _unigram_perplexity(config, task, clients),
            vocabulary_hash=task.vocabulary.hash,
            weight_leaves=_weight_leaves(partition),
            facts={
                "parameters": sum(int(np.prod(shape)) for shape in partition.shapes),
                "precision": precision_name,
                "vocabulary_size": task.vocabulary.size,
                "training_clients": len(clients.train),
                "versions": _versions(),
            },
        )


def _make_task(config: ml_collections.ConfigDict) -> Task:
    try:
        return make_task(**settings.task_arguments(config))
    except TaskError as error:
        raise ConfigError(str(error)) from error


def _check_cohort(config: ml_collections.ConfigDict, clients: Clients) -> None:
    wanted, there = config.federated.clients_per_round, len(clients.train)
    if wanted > there:
        raise ConfigError(
            f"federated.clients_per_round is {wanted}, but task {config.task.name!r} has {there} "
            "training clients; lower it"
        )
    for split in ("validation", "test"):
        if not getattr(clients, split):
            raise ConfigError(
                f"task.path: task {config.task.name!r} has no {split} client; it needs more users"
            )


def _learning_process(
    config: ml_collections.ConfigDict,
    model_fn: weights.ModelFn,
    partition: weights.Partition,
    task: Task,
) -> tff.learning.templates.LearningProcess:
    """The four parts, put together: broadcast, client work, aggregation, server update."""
    client_model = ClientModel(model_fn, partition, task.vocabulary.starts_word.tolist())
    aggregator = CompressedMeanFactory(
        settings.codec(config, "upload"),
        min_elements=config.upload.min_elements,
        measure_error=config.upload.measure_error,
        seed=config.seed,
    )
    distributor = build_compressed_broadcast(
        partition.weights_type(),
        settings.codec(config, "download"),
        min_elements=config.download.min_elements,
        seed=config.seed,
    )
    return build_learning_process(
        client_model, settings.algorithm(config), aggregator=aggregator, distributor=distributor
    )


def _workers(config: ml_collections.ConfigDict, workdir: Workdir) -> list[LocalWorker]:
    if config.runtime.workers:
        raise ConfigError("runtime.workers: workers on other machines are not supported yet")
    return [LocalWorker(WorkerOptions(log_path=str(workdir.worker_log)))]


def _evaluator(
    config: ml_collections.ConfigDict,
    model_fn: weights.ModelFn,
    partition: weights.Partition,
    task: Task,
    process: tff.learning.templates.LearningProcess,
    resident: ResidentProcess,
) -> Callable[[str, Sequence[str]], np.ndarray]:
    """(split, specs) -> float32[clients, K], on the state that the runtime holds."""
    state_type = process.initialize.type_signature.result.member
    starts_word = task.vocabulary.starts_word.tolist()
    batches = settings.evaluation_batches(config)

    @functools.cache
    def computation(split: str) -> tff.Computation:
        dataset_fn = batching.make_dataset_fn(task.data_path, split, batches)
        return build_evaluation(model_fn, partition, starts_word, dataset_fn, state_type)

    return lambda split, specs: np.asarray(resident.evaluate(computation(split), specs))


def _round_bytes(round_metrics: Mapping[str, Any]) -> dict[str, float]:
    """Bytes of a round over its cohort; the broadcast measures those of one client."""
    clients = len(round_metrics["client_work"]["per_client"])
    return {
        "upload_bytes": float(round_metrics["aggregator"]["upload_bits"]) / 8,
        "download_bytes": float(round_metrics["distributor"]["download_bits"]) / 8 * clients,
    }


def _unigram_perplexity(config: ml_collections.ConfigDict, task: Task, clients: Clients) -> float:
    """The baseline: of all sentences that may be trained on, on the test targets."""
    batches = settings.evaluation_batches(config)
    counts = {
        split: baseline.count_targets(
            batching.make_dataset_fn(task.data_path, split, batches),
            [batching.client_spec(config.seed, 0, client) for client in getattr(clients, split)],
            task.vocabulary.size,
        )
        for split in ("train", "test")
    }
    return baseline.unigram_perplexity(counts["train"], counts["test"])


def _weight_leaves(partition: weights.Partition) -> dict[str, str]:
    """Where each weight lies in the state's arrays, by its name in `model.weight_names`."""
    names = [name.removesuffix(":0") for name in partition.names]
    leaves = {
        names[index]: f"global_model_weights/{part}/{position}"
        for part, indices in (
            ("trainable", partition.trained),
            ("non_trainable", partition.frozen),
        )
        for position, index in enumerate(indices)
    }
    return {name: leaves[name] for name in names}


def _versions() -> dict[str, str]:
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **packages}
