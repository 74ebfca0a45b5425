"""What clients keep, on its way into a worker with their orders and out of it with their updates.

A process whose clients keep something takes `<order=str,kept=K>` from each of them, and each leaves
what it keeps next in its update, in a field of the name `CLIENT_STATE`, from where it is fetched
before the update is accumulated. It lies in a store in this process (`tff_lm.client_state`), so a
worker that dies takes none of it along.
"""

from __future__ import annotations

import collections
import pathlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import tensorflow_federated as tff

from tff_lm.client_order import NOBODY, ClientOrder
from tff_lm.client_state.store import CLIENT_STATE, ClientStateStore, Leaf
from tff_lm.runtime.network.connection import Handle, WorkerConnection
from tff_lm.runtime.rounds import state_arrays

_ORDER_TYPE = tff.TensorType(np.str_)
_DUMP, _ROUND = "client_states/dump", "client_states/round"
# Populations whose states fit into this are kept in memory, and in each checkpoint.
_IN_MEMORY_BYTES = 256e6


class ClientData(Protocol):
    """What travels with a client's order to a worker, and back beside its update."""

    def bring(self, connection: WorkerConnection, order: ClientOrder) -> Handle:
        """The client's argument of a round's work."""

    def take(self, connection: WorkerConnection, order: ClientOrder, update: Handle) -> None:
        """Takes what the client keeps out of its update."""

    def completed(self, orders: Sequence[ClientOrder]) -> None:
        """Makes what the clients of a round kept last."""

    def failed(self) -> None:
        """Forgets what the clients of a round kept that did not come to its end."""

    @property
    def last_round(self) -> int:
        """The last round that was completed; 0 before the first, and where nothing is kept."""

    def arrays(self) -> dict[str, np.ndarray]:
        """What a checkpoint of the last completed round has of the clients."""

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Goes back to a checkpoint; takes out of `arrays` what `arrays()` put in."""

    def go_back(self, round_number: int) -> None:
        """Forgets all that came after a round."""


class OrdersAlone:
    """Clients that keep nothing."""

    def bring(self, connection: WorkerConnection, order: ClientOrder) -> Handle:
        return connection.put(order.encode(), _ORDER_TYPE)

    def take(self, connection: WorkerConnection, order: ClientOrder, update: Handle) -> None:
        """Nothing to take."""

    def completed(self, orders: Sequence[ClientOrder]) -> None:
        """Nothing was kept."""

    def failed(self) -> None:
        """Nothing was kept."""

    @property
    def last_round(self) -> int:
        return 0

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """There is nothing of the clients in `arrays`."""

    def go_back(self, round_number: int) -> None:
        """Nothing was kept."""


class ClientStates:
    """Clients that keep a state: the store, and the versions of it that a run may go back to."""

    def __init__(
        self,
        state_type: tff.Type,
        *,
        population: int,
        path: pathlib.Path,
        kept_checkpoints: int,
    ):
        """Opens the store.

        Args:
          state_type: K; a client has zeros before its first round.
          population: How many clients there are in all; decides between memory and a file.
          path: Of the file.
          kept_checkpoints: To how many of the last copies of the state a run may go back.
        """
        self._type = state_type
        self._zero = state_arrays.zeros(state_type)
        leaves = [Leaf(name, array.dtype, array.shape) for name, array in self._zero.items()]
        size = population * sum(leaf.nbytes for leaf in leaves)
        self._store = ClientStateStore(leaves, None if size <= _IN_MEMORY_BYTES else path)
        self._last = 0
        self._copied: collections.deque[int] = collections.deque(maxlen=kept_checkpoints)

    def bring(self, connection: WorkerConnection, order: ClientOrder) -> Handle:
        found = self._store.get(order.client, before=order.round) or self._zero
        state = state_arrays.put(connection, found, self._type)
        return connection.struct([connection.put(order.encode(), _ORDER_TYPE), state])

    def take(self, connection: WorkerConnection, order: ClientOrder, update: Handle) -> None:
        if order.client == NOBODY:
            return
        for index in _path_of(update.type_signature):
            update = connection.select(update, index)
        self._store.put(order.client, order.round, state_arrays.fetch(connection, update))

    def completed(self, orders: Sequence[ClientOrder]) -> None:
        self._store.commit()
        self._last = orders[0].round

    def failed(self) -> None:
        self._store.discard()

    @property
    def last_round(self) -> int:
        return self._last

    def arrays(self) -> dict[str, np.ndarray]:
        self._copied.append(self._last)
        if len(self._copied) == self._copied.maxlen:
            self._store.forget_superseded(self._copied[0])
        arrays = {_ROUND: np.asarray(self._last, np.int64)}
        return arrays | ({_DUMP: self._store.dump()} if self._store.in_memory else {})

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        dumped = arrays.pop(_DUMP, None)
        if dumped is not None and self._store.in_memory:
            self._store.load(dumped)
        self.go_back(int(arrays.pop(_ROUND, np.asarray(0))))

    def go_back(self, round_number: int) -> None:
        self._store.forget_after(round_number)
        self._last = round_number

    def close(self) -> None:
        """Closes the store."""
        self._store.close()


def _path_of(type_: tff.Type) -> list[int]:
    """The indices that lead to the field `CLIENT_STATE` in an update.

    Raises:
      ValueError: If there is none.
    """
    found = _search(type_)
    if found is None:
        raise ValueError(f"No client leaves a {CLIENT_STATE!r} in its update: {type_}.")
    return found


def _search(type_: tff.Type) -> list[int] | None:
    if not isinstance(type_, tff.StructType):
        return None
    for index, (name, element) in enumerate(tff.structure.iter_elements(type_)):
        if name == CLIENT_STATE:
            return [index]
        below = _search(element)
        if below is not None:
            return [index, *below]
    return None
