"""From a configuration to an experiment: the one place where all packages are put together."""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import ml_collections
import numpy as np
import tensorflow_federated as tff

from tff_lm import paths
from compression.broadcast import build_compressed_broadcast
from compression.ledger import CommunicationLedger
from tasks import batching
from tff_lm.client_order import ClientOrder
from tff_lm.config import ConfigError
from tff_lm.experiment import evaluations, settings, task_and_model
from tff_lm.learning import metrics, weights
from tff_lm.learning.algorithms.algorithm import Algorithm
from tff_lm.learning.averaging import AVERAGE_LEAF
from tff_lm.learning.build import build_algorithm, build_learning_process
from tff_lm.learning.client_model import ClientModel
from tff_lm.learning.evaluation import DatasetFn, Measurement, build_evaluation
from tff_lm.learning.kept import client_state_zero
from tff_lm.learning.orders import with_client_orders
from tff_lm.program.contracts import Clients, Experiment
from tff_lm.run_folder.workdir import Workdir
from tff_lm.runtime.network.certificates import CertificateError
from tff_lm.runtime.network.remote import parse_workers
from tff_lm.runtime.processes.worker import LocalWorker, WorkerOptions
from tff_lm.runtime.rounds.client_states import ClientStates
from tff_lm.runtime.rounds.resident import ResidentProcess
from tff_lm.runtime.rounds.session import Worker
from tff_lm.runtime.rounds.worker_pool import WorkerPool
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
    algorithm = _algorithm(config, client_model, len(found.clients.train))
    process = _learning_process(config, client_model, algorithm)
    trained, evaluated = _weight_leaves(config, client_model.partition)
    task_and_model.keep_files(found, workdir)
    dataset_fn = batching.make_dataset_fn(
        task.data_path, "train", settings.training_batches(config)
    )
    with (
        WorkerPool(_workers(config, workdir), config.runtime.chunk_size or None) as runtime,
        _client_states(config, algorithm, found, workdir) as client_states,
    ):
        resident = ResidentProcess(
            runtime,
            process.initialize,
            with_client_orders(process, dataset_fn),
            client_states,
        )
        yield Experiment(
            config=config,
            clients=found.clients,
            runtime=resident,
            begin=start.beginning(
                resident, started, trained, copies={evaluated[n]: trained[n] for n in trained}
            ),
            longest_first=functools.partial(
                task.longest_first, "train", examples=config.federated.examples_per_client
            ),
            evaluations=evaluations.build(found, _evaluator(found, process, resident)),
            summarise=metrics.summarise,
            passes=algorithm.passes,
            ledger=_ledger(client_model.partition),
            unigram=found.unigram,
            vocabulary_hash=task.vocabulary.hash,
            data_hash=task.data_hash,
            weight_leaves=evaluated,
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


def _algorithm(
    config: ml_collections.ConfigDict, client_model: ClientModel, population: int
) -> Algorithm:
    try:
        return build_algorithm(client_model, settings.learning(config, population))
    except ValueError as error:
        raise ConfigError(f"algorithm: {error}") from error


def _learning_process(
    config: ml_collections.ConfigDict, client_model: ClientModel, algorithm: Algorithm
) -> tff.learning.templates.LearningProcess:
    """The four parts, put together: broadcast, client work, aggregation, server update."""
    build_distributor = functools.partial(
        build_compressed_broadcast,
        codec=settings.codec(config, "download"),
        min_elements=config.download.min_elements,
        seed=config.seed,
        calls_per_round=algorithm.passes,
    )
    aggregators = {
        "aggregator": settings.aggregator(config),
        "shared_aggregator": settings.aggregator(config, beside=True),
    }
    try:
        return build_learning_process(
            client_model,
            algorithm,
            **aggregators,
            distributor=build_distributor(
                client_model.partition.weights_type(), constants=client_model.partition.constants
            ),
            build_state_distributor=build_distributor,
        )
    except ValueError as error:
        raise ConfigError(f"algorithm: {error}") from error


@contextlib.contextmanager
def _client_states(
    config: ml_collections.ConfigDict,
    algorithm: Algorithm,
    found: task_and_model.Ingredients,
    workdir: Workdir,
) -> Iterator[ClientStates | None]:
    """What clients keep between rounds; None for most algorithms."""
    zero = client_state_zero(algorithm)
    if zero is None:
        yield None
        return
    with contextlib.closing(
        ClientStates(
            zero.type_signature.result,
            population=len(found.clients.train),
            path=workdir.client_states,
            kept_checkpoints=config.checkpoint.keep,
        )
    ) as states:
        yield states


def _workers(config: ml_collections.ConfigDict, workdir: Workdir) -> Sequence[Worker]:
    """One worker on this machine, or those on the machines of `runtime.workers`."""
    # Who only reads a run, such as a colleague's, has no log in it.
    writable = os.access(workdir.worker_log.parent, os.W_OK)
    log = str(workdir.worker_log) if writable else None
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
) -> evaluations.Evaluator:
    """Measures the state that the runtime holds."""
    client_model, training = found.client_model, settings.own_training(found.config)

    def evaluator(
        measurement: Measurement, part_fns: Sequence[DatasetFn]
    ) -> Callable[[Sequence[ClientOrder]], Sequence[np.ndarray]]:
        computation = build_evaluation(
            measurement,
            client_model.model_fn,
            client_model.partition,
            client_model.starts_word,
            part_fns,
            process.initialize.type_signature.result.member,
            training,
        )

        def rows(orders: Sequence[ClientOrder]) -> list[np.ndarray]:
            by_measure = cast(Sequence[Any], resident.evaluate(computation, orders))
            return [np.asarray(each) for each in by_measure]

        return rows

    return evaluator


def _ledger(partition: weights.Partition) -> CommunicationLedger:
    return CommunicationLedger(task_and_model.parameters(partition), partition.payload_names)


def _weight_leaves(
    config: ml_collections.ConfigDict, partition: weights.Partition
) -> tuple[dict[str, str], dict[str, str]]:
    """Where each weight lies in the state's arrays, by its name in `model.weight_names`.

    Returns:
      As it is trained on, and as it is evaluated.
    """
    names = [name.removesuffix(":0") for name in partition.names]

    def leaves(trainable: str) -> dict[str, str]:
        parts = (
            (trainable, partition.trained),
            ("global_model_weights/non_trainable/{}", partition.frozen),
        )
        found = {
            names[index]: leaf.format(position)
            for leaf, indices in parts
            for position, index in enumerate(indices)
        }
        return {name: found[name] for name in names}

    trained = leaves("global_model_weights/trainable/{}")
    return trained, leaves(AVERAGE_LEAF) if config.algorithm.averaging else trained
