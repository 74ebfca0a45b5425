"""From a configuration to an experiment: the one place where all packages are put together."""

from __future__ import annotations

import contextlib
import functools
import pathlib
from collections.abc import Callable, Iterator, Sequence

import ml_collections
import numpy as np
import tensorflow_federated as tff

from tff_lm import paths
from compression.aggregation import CompressedMeanFactory
from compression.broadcast import build_compressed_broadcast
from compression.ledger import CommunicationLedger
from tasks import batching
from tff_lm.config import ConfigError
from tff_lm.experiment import settings, task_and_model
from tff_lm.learning import metrics, specs, weights
from tff_lm.learning.algorithms import ALGORITHMS
from tff_lm.learning.build import build_learning_process
from tff_lm.learning.client_work import ClientModel
from tff_lm.learning.evaluation import build_evaluation
from tff_lm.program.contracts import Clients, Experiment
from tff_lm.run_folder.workdir import Workdir
from tff_lm.runtime.network.certificates import CertificateError
from tff_lm.runtime.network.remote import parse_workers
from tff_lm.runtime.processes.worker import LocalWorker, WorkerOptions
from tff_lm.runtime.rounds.resident import ResidentProcess, ResidentRuntime
from tff_lm.runtime.rounds.session import Worker
from tff_lm.warm_start import start


@contextlib.contextmanager
def build_experiment(config: ml_collections.ConfigDict, workdir: Workdir) -> Iterator[Experiment]:
    """Prepares the data, builds the learning process, starts the workers; ends them on exit.

    Raises:
      ConfigError: if the configuration does not fit the data or the model.
    """
    found = task_and_model.gather(config)
    task, client_model = found.task, found.client_model
    _check_cohort(config, found.clients)
    started = start.find(config, workdir, client_model.partition, task.vocabulary)
    process = _learning_process(config, client_model)
    leaves = _weight_leaves(client_model.partition)
    task_and_model.keep_vocabulary(found, workdir)
    dataset_fn = batching.make_dataset_fn(
        task.data_path, "train", settings.training_batches(config)
    )
    with ResidentRuntime(_workers(config, workdir), config.runtime.chunk_size or None) as runtime:
        resident = ResidentProcess(
            runtime, process.initialize, specs.with_client_specs(process, dataset_fn)
        )
        yield Experiment(
            config=config,
            clients=found.clients,
            runtime=resident,
            begin=start.beginning(resident, started, leaves),
            longest_first=functools.partial(
                task.longest_first, "train", examples=config.federated.examples_per_client
            ),
            client_spec=batching.client_spec,
            evaluate=_evaluator(found, process, resident),
            summarise=metrics.summarise,
            passes=ALGORITHMS[config.algorithm.name].passes,
            ledger=_ledger(client_model.partition),
            unigram_perplexity=found.unigram_perplexity,
            vocabulary_hash=task.vocabulary.hash,
            weight_leaves=leaves,
            facts=found.facts(),
        )


def _check_cohort(config: ml_collections.ConfigDict, clients: Clients) -> None:
    """Raises ConfigError if there are too few clients for the configuration."""
    wanted, there = config.federated.clients_per_round, len(clients.train)
    if wanted > there:
        raise ConfigError(
            f"federated.clients_per_round is {wanted}, but task {config.task.name!r} has {there} "
            "training clients; lower it"
        )


def _learning_process(
    config: ml_collections.ConfigDict, client_model: ClientModel
) -> tff.learning.templates.LearningProcess:
    """The four parts, put together: broadcast, client work, aggregation, server update."""
    aggregator = CompressedMeanFactory(
        settings.codec(config, "upload"),
        min_elements=config.upload.min_elements,
        measure_error=config.upload.measure_error,
        seed=config.seed,
    )
    build_distributor = functools.partial(
        build_compressed_broadcast,
        codec=settings.codec(config, "download"),
        min_elements=config.download.min_elements,
        seed=config.seed,
    )
    try:
        return build_learning_process(
            client_model,
            settings.algorithm(config),
            aggregator=aggregator,
            distributor=build_distributor(
                client_model.partition.weights_type(), constants=client_model.partition.constants
            ),
            build_state_distributor=build_distributor,
        )
    except ValueError as error:
        raise ConfigError(f"algorithm: {error}") from error


def _workers(config: ml_collections.ConfigDict, workdir: Workdir) -> Sequence[Worker]:
    """One worker on this machine, or those on the machines of `runtime.workers`."""
    log = str(workdir.worker_log)
    if not config.runtime.workers:
        return [LocalWorker(WorkerOptions(log_path=log))]
    certificates = pathlib.Path(paths.resolve(config.runtime.certificates))
    try:
        return parse_workers(config.runtime.workers, certificates, log)
    except (ValueError, CertificateError) as error:
        raise ConfigError(f"runtime.workers: {error}") from error


def _evaluator(
    found: task_and_model.Ingredients,
    process: tff.learning.templates.LearningProcess,
    resident: ResidentProcess,
) -> Callable[[str, Sequence[str]], np.ndarray]:
    """(split, specs) -> float32[clients, K], on the state that the runtime holds."""
    state_type = process.initialize.type_signature.result.member
    batches = settings.evaluation_batches(found.config)
    client_model = found.client_model

    @functools.cache
    def computation(split: str) -> tff.Computation:
        return build_evaluation(
            client_model.model_fn,
            client_model.partition,
            client_model.starts_word,
            batching.make_dataset_fn(found.task.data_path, split, batches),
            state_type,
        )

    return lambda split, specs: np.asarray(resident.evaluate(computation(split), specs))


def _ledger(partition: weights.Partition) -> CommunicationLedger:
    return CommunicationLedger(task_and_model.parameters(partition), partition.payload_names)


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
