"""The things that `benchmarks.round` measures; each runs in a process of its own."""

from __future__ import annotations

import contextlib
import os
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import psutil
import tensorflow as tf
import tensorflow_federated as tff
from tqdm import tqdm

from benchmarks import plain_keras
from benchmarks.jobs import LEARNING_RATE, MAX_LENGTH, Job
from benchmarks.plain_loop import build_step
from compression import make_codec
from compression.aggregation import UpdateAggregator
from tasks import batching
from tff_lm.client_order import ClientOrder
from tff_lm.learning.build import build_algorithm, build_learning_process
from tff_lm.learning.options import AlgorithmOptions, LearningOptions, PartialOptions
from tff_lm.learning.orders import with_client_orders
from tff_lm.learning.partial import build_client_model
from tff_lm.models import build_model
from tff_lm.models.protocol import TrainableModel
from tff_lm.runtime.processes.worker import LocalWorker, WorkerOptions
from tff_lm.runtime.rounds.resident import ResidentProcess
from tff_lm.runtime.rounds.worker_pool import WorkerPool

Measurement = dict[str, float]


def median_seconds(run: Callable[[int], object], rounds: int) -> float:
    """Median wall time of rounds 1..`rounds`; round 0 warms up."""
    run(0)
    times = []
    for index in range(1, rounds + 1):
        start = time.perf_counter()
        run(index)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def peak_memory(process: psutil.Process) -> int:
    """Most resident bytes that the process has had."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def throughput(job: Job, rounds: int, run: Callable[[int], object]) -> Measurement:
    """Real target tokens per second, and the peak memory of this process and its children."""
    seconds = median_seconds(run, rounds)
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return {
        "tokens_per_second": job.tokens(1) / seconds,
        "seconds_per_round": seconds,
        "peak_memory_bytes": float(sum(map(peak_memory, processes))),
    }


# Stock TFF.


def _padded(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Pads every sentence to MAX_LENGTH."""

    def pad(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        widths = [[0, 0], [0, MAX_LENGTH - tf.shape(x)[1]]]
        return tf.pad(x, widths), tf.pad(y, widths)

    return dataset.map(pad)


def _stock(
    job: Job, model: str, rounds: int, prepare: Callable, server_optimizer: Any
) -> Measurement:
    process = tff.learning.algorithms.build_weighted_fed_avg(
        plain_keras.model_fn(model, job.task.vocabulary.size),
        client_optimizer_fn=tff.learning.optimizers.build_sgdm(LEARNING_RATE),
        server_optimizer_fn=server_optimizer,
        client_weighting=tff.learning.ClientWeighting.NUM_EXAMPLES,
    )
    tff.backends.native.set_sync_local_cpp_execution_context()
    data = [
        prepare(dataset.map(lambda batch: (batch["x"], batch["y"]))) for dataset in job.datasets(1)
    ]
    held = [process.initialize()]

    def run(index: int) -> None:
        held[0] = process.next(held[0], data).state

    try:
        return throughput(job, rounds, run)
    finally:
        for child in psutil.Process().children(recursive=True):
            child.kill()


def stock(job: Job, model: str, rounds: int) -> Measurement:
    """TFF's own `process.next` in its default context, every sentence padded to 30."""
    return _stock(job, model, rounds, _padded, tff.learning.optimizers.build_sgdm(1.0))


def stock_bucketed(job: Job, model: str, rounds: int) -> Measurement:
    """The same on our batches."""
    return _stock(
        job, model, rounds, lambda batches: batches, tff.learning.optimizers.build_sgdm(1.0)
    )


def stock_adam(job: Job, model: str, rounds: int) -> Measurement:
    """The same with FedAdam, whose state is three times the model."""
    adam = tff.learning.optimizers.build_adam(0.01)
    return _stock(job, model, rounds, lambda batches: batches, adam)


# This project's runtime.


@contextlib.contextmanager
def local_runtime(
    workers: int = 1, environment: Mapping[str, str] | None = None
) -> Iterator[WorkerPool]:
    """Workers on this machine, which share its cores; `environment` is changed in them."""
    concurrency = max(1, len(os.sched_getaffinity(0)) // workers)
    with tempfile.TemporaryDirectory() as folder:
        options = [
            WorkerOptions(
                concurrency=concurrency,
                log_path=os.path.join(folder, f"{i}.log"),
                environment=environment or {},
            )
            for i in range(workers)
        ]
        local = [LocalWorker(each) for each in options]
        with WorkerPool(local) as runtime:
            yield runtime


def build_resident(
    runtime: WorkerPool,
    job: Job,
    model: str,
    precision: str,
    options: LearningOptions,
    partial: PartialOptions | None = None,
    upload: str = "identity",
) -> ResidentProcess:
    """Our learning process, initialized on a runtime; `upload` is a codec."""

    def model_fn() -> TrainableModel:
        return build_model(model, job.task.vocabulary.size, precision=precision)

    client_model = build_client_model(model_fn, job.task.vocabulary.starts_word.tolist(), partial)
    aggregator = UpdateAggregator(make_codec(upload))
    algorithm = build_algorithm(client_model, options)
    process = build_learning_process(client_model, algorithm, aggregator=aggregator)
    dataset_fn = batching.make_dataset_fn(job.task.data_path, "train", job.batches)
    resident = ResidentProcess(runtime, process.initialize, with_client_orders(process, dataset_fn))
    resident.initialize()
    return resident


FED_AVG = LearningOptions(
    AlgorithmOptions(
        name="fed_avg",
        client_learning_rate=LEARNING_RATE,
        server_learning_rate=1.0,
        weighting="examples",
    )
)
FED_ADAM = LearningOptions(AlgorithmOptions(name="fed_adam", client_learning_rate=LEARNING_RATE))


def resident(
    job: Job,
    model: str,
    rounds: int,
    precision: str = "float32",
    options: LearningOptions = FED_AVG,
    workers: int = 1,
) -> Measurement:
    """Rounds on this runtime."""
    with local_runtime(workers) as runtime:
        process = build_resident(runtime, job, model, precision, options)
        return throughput(job, rounds, lambda _: process.next(job.orders(1)))


def take_turns(
    processes: Mapping[str, ResidentProcess], orders: Sequence[ClientOrder], rounds: int
) -> dict[str, list[float]]:
    """Seconds of each process' rounds, one process after another; a round before warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in processes}
    for number in tqdm(range(1 + rounds), "rounds", leave=False):
        for name, process in processes.items():
            start = time.perf_counter()
            process.next(orders)
            if number:
                seconds[name].append(time.perf_counter() - start)
    return seconds


# A plain loop, without federation.


def bare(job: Job, model: str, rounds: int, precision: str = "float32") -> Measurement:
    """SGD over our batches in one `tf.function`; one process, as many threads as it was given."""
    network = build_model(model, job.task.vocabulary.size, precision=precision)
    step = build_step(network)
    batches = [(tf.constant(x), tf.constant(y)) for x, y in job.arrays(1)]

    def run(index: int) -> None:
        for x, y in batches:
            step(x, y)

    return throughput(job, rounds, run)


def matmul_gflops(size: int = 2048, repeats: int = 20) -> Measurement:
    """The ceiling: products of two size x size matrices, in billions of operations a second."""
    result = {}
    for precision in ("float32", "bfloat16"):
        a = tf.cast(tf.random.stateless_normal([size, size], [1, 2]), precision)

        def run(index: int, a: tf.Tensor = a) -> None:
            for _ in range(repeats):
                product = tf.matmul(a, a)
            product.numpy()

        seconds = median_seconds(run, 3)
        result[precision] = 2 * size**3 * repeats / seconds / 1e9
    return result
