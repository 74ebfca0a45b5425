"""Federated processes whose server state stays inside a worker between rounds.

Stock `process.next` moves the server state (weights and optimizer moments) through Python twice a
round. Here a round ships clients' orders to the worker and metrics back; the state is copied out
for a checkpoint, and now and then so that a dead worker costs a few rounds' time and nothing else.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import tensorflow_federated as tff
from absl import logging
from tensorflow_federated.python.core.impl.types import type_conversions

from tff_lm.client_order import ClientOrder
from tff_lm.runtime import errors
from tff_lm.runtime.network.connection import Handle
from tff_lm.runtime.rounds import recovery, round_form, state_arrays
from tff_lm.runtime.rounds.client_states import ClientData, OrdersAlone
from tff_lm.runtime.rounds.round_form import RoundForm
from tff_lm.runtime.rounds.worker_pool import WorkerPool

_ATTEMPTS = 3

_T = TypeVar("_T")


class ResidentProcess:
    """An iterative process whose state S stays in the home worker of a runtime.

    The state is that of `process.next`, bit for bit, for any number of clients on one worker, and
    up to the order of floating-point sums on several.
    """

    def __init__(
        self,
        runtime: WorkerPool,
        initialize: tff.Computation,
        next_: tff.Computation,
        clients: ClientData | None = None,
    ):
        """Compiles the process.

        Args:
            runtime: Where to run it.
            initialize: `( -> S@SERVER)`.
            next_: `(<S@SERVER, {str}@CLIENTS> -> <S@SERVER, M@SERVER>)`, of one broadcast and one
                aggregation (several parallel ones count as one), without secure sums. Where clients
                keep a state K, their argument is `{<order=str,kept=K>}@CLIENTS`.
            clients: What they keep (`ClientStates`); None if they keep nothing.
        """
        self._runtime = runtime
        self._initialize = round_form.compile_initialize(initialize)
        self._form = round_form.compile_next(next_)
        self._state: Handle | None = None
        self._keeper = recovery.StateKeeper()
        self._clients = clients or OrdersAlone()
        self._copied_round = 0

    @property
    def state_type(self) -> tff.Type:
        """The type S of the state."""
        return self._form.prepare.type_signature.parameter

    def initialize(self) -> None:
        """Makes the initial state the state."""
        self._keeper = recovery.StateKeeper()
        self._copied_round = 0
        self._clients.restore({})

        def start() -> None:
            connection = self._runtime.home().connection
            function = connection.put(self._initialize, self._initialize.type_signature)
            self._state = state = connection.call(function)
            self._keeper.copy(lambda: state_arrays.fetch(connection, state))

        self._retrying(start)

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Makes `arrays`, as `state_arrays` gave them, the state.

        Raises:
            ValueError: if they do not fit the state's type; the message names the leaf.
        """
        server = dict(arrays)
        self._clients.restore(server)
        self._copied_round = self._clients.last_round
        state_arrays.check(server, self.state_type)
        self._state = None
        self._keeper = recovery.StateKeeper()
        self._keeper.put(server, rounds=0)
        self._retrying(self._held_state)

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Copies the state out: {leaf path in the type, as in "finalizer/step": array}.

        What clients keep is part of it, or of a file that it refers to.
        """
        return {**self._retrying(self._copy_state), **self._clients.arrays()}

    def next(self, orders: Sequence[ClientOrder]) -> object:
        """Runs one round and returns its metrics M, in the containers of the process.

        Args:
            orders: One per client, of which there must be at least one, all of one round.

        Raises:
            ValueError: if an order is for another version of the model than the present one, which
                alone is held.
            ComputationError: if the computation failed; the state is as before.
            RuntimeFailure: if workers died three times in a row, or none can be started.
        """
        _check(orders)

        def step() -> object:
            state = self._held_state()
            start = time.monotonic()
            self._state, metrics = self._run(self._form, state, orders, self._clients)
            self._keeper.completed(orders, time.monotonic() - start)
            return metrics

        metrics = self._retrying(step)
        self._clients.completed(orders)
        if self._keeper.copy_is_due:
            self._retrying(self._copy_state)
        self._runtime.home().connection.collect()  # the old state
        return metrics

    def evaluate(self, computation: tff.Computation, orders: Sequence[ClientOrder]) -> object:
        """Runs `(<S@SERVER, {str}@CLIENTS> -> M@SERVER)` on the state and returns the metrics M."""
        if not orders:
            raise ValueError("An evaluation needs at least one client.")
        form, clients = round_form.compile_evaluate(computation), OrdersAlone()
        return self._retrying(lambda: self._run(form, self._held_state(), orders, clients)[1])

    def _run(
        self, form: RoundForm, state: Handle, orders: Sequence[ClientOrder], clients: ClientData
    ) -> tuple[Handle, object]:
        """Runs the parts of a round on `state`; returns the new state and the metrics."""
        session = self._runtime.home()
        connection, functions = session.connection, session.functions(form)
        broadcast = connection.call(functions["prepare"], state)
        total = self._runtime.accumulate(form, broadcast, orders, clients)
        nothing = connection.put((), tff.StructType([]))
        report = connection.struct(
            [connection.call(functions["report"], total), nothing, nothing, nothing]
        )
        result = connection.call(functions["update"], connection.struct([state, report]))
        metrics = connection.fetch(connection.select(result, 1))
        return connection.select(result, 0), type_conversions.type_to_py_container(
            metrics, form.metrics_type
        )

    def _copy_state(self) -> recovery.State:
        state = self._held_state()
        copy = self._keeper.copy(lambda: state_arrays.fetch(state.connection, state))
        # Not before: a worker that dies while it is copied leaves the older copy.
        self._copied_round = self._clients.last_round
        return copy

    def _held_state(self) -> Handle:
        """The state, put back into the home worker if that is a new one.

        Raises:
            RuntimeError: if there is none yet.
        """
        if self._keeper.state is None:
            raise RuntimeError("There is no state yet: call initialize() or restore() first.")
        connection = self._runtime.home().connection
        if self._state is None or self._state.connection is not connection:
            state = state_arrays.put(connection, self._keeper.state, self.state_type)
            for orders in self._keeper.replay:
                state, _ = self._run(self._form, state, orders, self._clients)
            self._state = state
        return self._state

    def _retrying(self, step: Callable[[], _T]) -> _T:
        """Runs `step`, again on other workers if one is lost."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._runtime.start()
                return step()
            except errors.WorkerLostError as error:
                logging.warning("A worker died (time %d of %d): %s", attempt, _ATTEMPTS, error)
                last = error
            except errors.WorkerStartError as error:
                raise self._failure(str(error)) from error
            except errors.ComputationError:
                self._clients.failed()
                raise
        raise self._failure(
            f"Workers died {_ATTEMPTS} times in a row; see their logs. The last said: {last}"
        ) from last

    def _failure(self, message: str) -> errors.RuntimeFailure:
        return errors.RuntimeFailure(message, self._keeper.rounds_at_copy, self._last_copy())

    def _last_copy(self) -> recovery.State | None:
        """The last copy of the state, with what clients kept by then."""
        if self._keeper.state is None:
            return None
        self._clients.failed()
        self._clients.go_back(self._copied_round)
        return {**self._keeper.state, **self._clients.arrays()}


def _check(orders: Sequence[ClientOrder]) -> None:
    """Raises ValueError unless there is something to do that can be done."""
    if not orders:
        raise ValueError("A round needs at least one client.")
    for order in orders:
        if order.model_version not in (-1, order.round - 1):
            raise ValueError(
                f"{order.encode()!r} is for the model after round {order.model_version}, but only "
                f"that after round {order.round - 1} is held: leave model_version out"
            )
