"""The model delta of a chat client, really trained, and what its training took."""

from __future__ import annotations

import collections
import statistics
import time
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from benchmarks.jobs import Job
from benchmarks.plain_loop import build_step
from tff_lm.models import build_model

# Clients that the model learns from before the one whose delta counts: a few of its first steps
# would be of a model that has not seen any text.
_EARLIER_CLIENTS = 8


class ClientDelta(NamedTuple):
    """Initial minus final weights by name, and the seconds and real target tokens it took."""

    values: collections.OrderedDict[str, np.ndarray]
    training_seconds: float
    tokens: int


def client_delta(model: str, precision: str, repeats: int) -> ClientDelta:
    """One local epoch of a client of the chat job, on the threads that TensorFlow was given.

    Args:
      model: a named model; it starts from seed 0 and has learned from a few other clients.
      precision: "float32" or "bfloat16", of matrix products.
      repeats: timed epochs, each from the same weights; the median counts. The clients before have
        compiled the kernels.
    """
    job = Job.named("chat", _EARLIER_CLIENTS + 1)
    *earlier, batches = ([(tf.constant(x), tf.constant(y)) for x, y in c] for c in job.by_client(0))
    network = build_model(model, job.task.vocabulary.size, precision=precision)
    step = build_step(network)

    def epoch(batches: list[tuple[tf.Tensor, tf.Tensor]]) -> list[np.ndarray]:
        for x, y in batches:
            step(x, y)
        return [variable.numpy() for variable in network.trainable_variables]

    for other in earlier:
        initial = epoch(other)
    times = []
    for _ in range(repeats):
        for variable, value in zip(network.trainable_variables, initial, strict=True):
            variable.assign(value)
        start = time.perf_counter()
        final = epoch(batches)
        times.append(time.perf_counter() - start)
    pairs = zip(network.weight_names, initial, final, strict=True)
    return ClientDelta(
        collections.OrderedDict((name, before - after) for name, before, after in pairs),
        statistics.median(times),
        sum(int(np.count_nonzero(y)) for _, y in batches),
    )
