"""Training a list of clients in one worker, with memory that does not grow with the list."""

import collections
import dataclasses
import functools
from collections.abc import Mapping, Sequence
from concurrent import futures

from tff_lm.client_order import ClientOrder
from tff_lm.runtime.network.connection import Handle, WorkerConnection
from tff_lm.runtime.rounds import state_arrays
from tff_lm.runtime.rounds.client_states import ClientData


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
    lanes: Lanes,
    functions: Mapping[str, Handle],
    broadcast: Handle,
    orders: Sequence[ClientOrder],
    clients: ClientData,
) -> Handle:
    """Trains the clients of `orders` and returns a handle to the accumulator of their updates.

    Updates enter the accumulator in the sequence of `orders`, whichever client finishes first, so
    the result does not depend on the speed of the clients.

    Args:
        lanes: Where and how many at once.
        functions: Handles of the parts of a `RoundForm`, by name.
        broadcast: The value sent to each client.
        orders: Of the clients.
        clients: What travels with the orders, and back beside the updates.
    """
    connection = lanes.connection
    train = functools.partial(_train, connection, functions["work"], broadcast, clients)
    total = connection.call(functions["zero"])
    waiting: collections.deque[futures.Future[Handle]] = collections.deque()
    try:
        for order in orders:
            if len(waiting) == lanes.window:
                total = _add(connection, functions["accumulate"], total, waiting.popleft())
            waiting.append(lanes.pool.submit(train, order))
        while waiting:
            total = _add(connection, functions["accumulate"], total, waiting.popleft())
    finally:
        for future in waiting:  # only after an error
            future.cancel()
    return total


def _train(
    connection: WorkerConnection,
    work: Handle,
    broadcast: Handle,
    clients: ClientData,
    order: ClientOrder,
) -> Handle:
    """Trains one client and waits until its update is there."""
    client = clients.bring(connection, order)
    update = connection.select(connection.call(work, connection.struct([client, broadcast])), 0)
    state_arrays.wait(connection, update)
    clients.take(connection, order, update)
    return update


def _add(
    connection: WorkerConnection, add: Handle, total: Handle, update: futures.Future[Handle]
) -> Handle:
    """Adds one update, and waits: the worker holds it until it is added."""
    total = connection.call(add, connection.struct([total, update.result()]))
    state_arrays.wait(connection, total)
    return total
