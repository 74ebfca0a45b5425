"""Federated processes whose server state stays inside a worker between rounds.

Stock `process.next` moves the server state (weights and optimizer moments) through Python twice a
round. Here a round ships client specs to the worker and metrics back; the state is copied out for a
checkpoint, and now and then so that a dead worker costs a few rounds' time and nothing else.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import tensorflow_federated as tff
from absl import logging
from tensorflow_federated.python.core.impl.types import type_conversions

from tff_lm.runtime import errors
from tff_lm.runtime.network.connection import Handle
from tff_lm.runtime.processes.start_stop import Scoped
from tff_lm.runtime.processes.worker import LocalWorker
from tff_lm.runtime.rounds import distribution, recovery, round_form, state_arrays
from tff_lm.runtime.rounds.round_form import RoundForm
from tff_lm.runtime.rounds.session import Worker, WorkerSession
from tff_lm.runtime.rounds.worker_keeper import WorkerSlot

_ATTEMPTS = 3

_T = TypeVar("_T")


class ResidentRuntime(Scoped):
    """Workers, and the sessions with those that are alive. A context manager.

    The first living worker is the *home* of the states; the others train slices of each cohort.
    """

    def __init__(self, workers: Sequence[Worker] | None = None, chunk_size: int | None = None):
        """Starts nothing yet.

        Args:
            workers: One worker or more; by default one local worker on all cores.
            chunk_size: Most client updates held at once in a worker; by default twice as many as
                train at once. It bounds memory and does not change results.
        """
        self._slots = [WorkerSlot(worker, chunk_size) for worker in workers or [LocalWorker()]]

    def start(self) -> None:
        """Sees to the sessions with the workers; those in order are left as they are.

        Raises:
            WorkerLostError: if no worker answers.
        """
        for slot in self._slots:
            slot.open()
        if not any(slot.session for slot in self._slots):
            self._slots[0].open(at_once=True)
        if not any(slot.session for slot in self._slots):
            raise errors.WorkerLostError("None of the workers answers.")

    def stop(self) -> None:
        """Ends the sessions and the workers."""
        for slot in self._slots:
            slot.close()

    @property
    def workers(self) -> list[Worker]:
        """The workers as configured, dead ones included."""
        return [slot.worker for slot in self._slots]

    def home(self) -> WorkerSession:
        """The session that holds the states."""
        return next(slot.session for slot in self._slots if slot.session is not None)

    def accumulate(self, form: RoundForm, broadcast: Handle, specs: Sequence[str]) -> Handle:
        """Trains a cohort on all workers; returns the accumulator of its updates at home."""
        slices = distribution.split(specs, [worker.concurrency for worker in self.workers])
        sessions = [slot.session for slot in self._slots]
        return distribution.accumulate(sessions, self.home(), form, broadcast, slices)


class ResidentProcess:
    """An iterative process whose state S stays in the home worker of a runtime.

    The state is that of `process.next`, bit for bit, for any number of clients on one worker, and
    up to the order of floating-point sums on several.
    """

    def __init__(
        self, runtime: ResidentRuntime, initialize: tff.Computation, next_: tff.Computation
    ):
        """Compiles the process.

        Args:
            runtime: Where to run it.
            initialize: `( -> S@SERVER)`.
            next_: `(<S@SERVER, {str}@CLIENTS> -> <S@SERVER, M@SERVER>)`, of one broadcast and one
                aggregation (several parallel ones count as one), without secure sums.
        """
        self._runtime = runtime
        self._initialize = round_form.compile_initialize(initialize)
        self._form = round_form.compile_next(next_)
        self._state: Handle | None = None
        self._keeper = recovery.StateKeeper()

    @property
    def state_type(self) -> tff.Type:
        """The type S of the state."""
        return self._form.prepare.type_signature.parameter

    def initialize(self) -> None:
        """Makes the initial state the state."""
        self._keeper = recovery.StateKeeper()

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
        state_arrays.check(arrays, self.state_type)
        self._state = None
        self._keeper = recovery.StateKeeper()
        self._keeper.put(dict(arrays), rounds=0)
        self._retrying(self._held_state)

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Copies the state out: {leaf path in the type, as in "finalizer/step": array}."""
        return dict(self._retrying(self._copy_state))

    def next(self, client_specs: Sequence[str]) -> object:
        """Runs one round and returns its metrics M, in the containers of the process.

        Args:
            client_specs: One string per client, of which there must be at least one.

        Raises:
            ComputationError: if the computation failed; the state is as before.
            RuntimeFailure: if workers died three times in a row.
        """
        if not client_specs:
            raise ValueError("A round needs at least one client.")

        def step() -> object:
            state = self._held_state()
            start = time.monotonic()
            self._state, metrics = self._run(self._form, state, client_specs)
            self._keeper.completed(client_specs, time.monotonic() - start)
            return metrics

        metrics = self._retrying(step)
        if self._keeper.copy_is_due:
            self._retrying(self._copy_state)
        self._runtime.home().connection.collect()  # the old state
        return metrics

    def evaluate(self, computation: tff.Computation, client_specs: Sequence[str]) -> object:
        """Runs `(<S@SERVER, {str}@CLIENTS> -> M@SERVER)` on the state and returns the metrics M."""
        if not client_specs:
            raise ValueError("An evaluation needs at least one client.")
        form = round_form.compile_evaluate(computation)
        return self._retrying(lambda: self._run(form, self._held_state(), client_specs)[1])

    def _run(
        self, form: RoundForm, state: Handle, client_specs: Sequence[str]
    ) -> tuple[Handle, object]:
        """Runs the parts of a round on `state`; returns the new state and the metrics."""
        session = self._runtime.home()
        connection, functions = session.connection, session.functions(form)
        broadcast = connection.call(functions["prepare"], state)
        total = self._runtime.accumulate(form, broadcast, client_specs)
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
        return self._keeper.copy(lambda: state_arrays.fetch(state.connection, state))

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
            for client_specs in self._keeper.replay:
                state, _ = self._run(self._form, state, client_specs)
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
        raise errors.RuntimeFailure(
            f"Workers died {_ATTEMPTS} times in a row; see their logs. The last said: {last}",
            self._keeper.rounds_at_copy,
            self._keeper.state,
        ) from last
