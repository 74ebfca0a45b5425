"""Training a list of clients in one worker, with memory that does not grow with the list."""

import collections
import dataclasses
import functools
from collections.abc import Mapping, Sequence
from concurrent import futures

import numpy as np
import tensorflow_federated as tff

from tff_lm.runtime.network.connection import Handle, WorkerConnection
from tff_lm.runtime.rounds import state_arrays

_SPEC_TYPE = tff.TensorType(np.str_)


@dataclasses.dataclass(frozen=True)
class Lanes:
    """The clients that train at once in a worker, and how far they may run ahead.

    Attributes:
        connection: The worker.
        pool: One thread per client that trains at once; each waits for its client's result.
        window: Most updates held: those being computed and those waiting for their turn to be
            accumulated, which follows the order of the clients.
    """

    connection: WorkerConnection
    pool: futures.ThreadPoolExecutor
    window: int


def accumulate(
    lanes: Lanes, functions: Mapping[str, Handle], broadcast: Handle, specs: Sequence[str]
) -> Handle:
    """Trains the clients `specs` and returns a handle to the accumulator of their updates.

    Updates enter the accumulator in the order of `specs`, whichever client finishes first, so the
    result does not depend on the speed of the clients.

    Args:
        lanes: Where and how many at once.
        functions: Handles of the parts of a `RoundForm`, by name.
        broadcast: The value sent to each client.
        specs: Client specs.
    """
    connection = lanes.connection
    train = functools.partial(_train, connection, functions["work"], broadcast)
    total = connection.call(functions["zero"])
    waiting: collections.deque[futures.Future[Handle]] = collections.deque()
    try:
        for spec in specs:
            if len(waiting) == lanes.window:
                total = _add(connection, functions["accumulate"], total, waiting.popleft())
            waiting.append(lanes.pool.submit(train, spec))
        while waiting:
            total = _add(connection, functions["accumulate"], total, waiting.popleft())
    finally:
        for future in waiting:  # only after an error
            future.cancel()
    return total


def _train(connection: WorkerConnection, work: Handle, broadcast: Handle, spec: str) -> Handle:
    """Trains one client and waits until its update is there."""
    client = connection.put(spec, _SPEC_TYPE)
    update = connection.select(connection.call(work, connection.struct([client, broadcast])), 0)
    state_arrays.wait(connection, update)
    return update


def _add(
    connection: WorkerConnection, add: Handle, total: Handle, update: futures.Future[Handle]
) -> Handle:
    """Adds one update, and waits: the worker holds it until it is added."""
    total = connection.call(add, connection.struct([total, update.result()]))
    state_arrays.wait(connection, total)
    return total
