"""One started worker in use: its connection, its lanes and the computations loaded into it."""

from collections.abc import Mapping, Sequence
from concurrent import futures
from typing import Protocol

from tff_lm.client_order import ClientOrder
from tff_lm.runtime.network.connection import Handle, WorkerConnection
from tff_lm.runtime.rounds import cohort
from tff_lm.runtime.rounds.client_states import ClientData
from tff_lm.runtime.rounds.round_form import RoundForm


class Worker(Protocol):
    """A worker that can be started and ended: on this machine, or a way to one on another."""

    def start(self) -> None:
        """Starts it, or the way to it; does nothing if it runs."""

    def stop(self) -> None:
        """Ends it, or the way to it."""

    def alive(self) -> bool:
        """Whether it runs, as far as can be told without asking it."""

    @property
    def target(self) -> str:
        """Its gRPC target."""

    @property
    def concurrency(self) -> int:
        """Clients that train at once in it."""


class WorkerSession:
    """Everything a run holds in one worker. Lost with the worker; a new session replaces it."""

    def __init__(self, worker: Worker, window: int | None, ready_seconds: float):
        """Starts `worker` if need be and connects to it.

        Args:
            worker: The worker.
            ready_seconds: How long to wait for its first answer.
            window: Most client updates held at once; by default twice as many as train at once, so
                that a slow client does not leave the others idle.

        Raises:
            WorkerStartError: if the worker could not be started.
            WorkerLostError: if the worker does not answer.
        """
        worker.start()
        self.connection = WorkerConnection(worker.target, worker.alive, ready_seconds)
        lanes = worker.concurrency
        self._lanes = cohort.Lanes(
            connection=self.connection,
            pool=futures.ThreadPoolExecutor(lanes, thread_name_prefix="client"),
            window=max(lanes, window or 2 * lanes),
        )
        self._functions: dict[RoundForm, dict[str, Handle]] = {}

    def functions(self, form: RoundForm) -> Mapping[str, Handle]:
        """Handles of the parts of `form`, sent to the worker at first use."""
        if form not in self._functions:
            self._functions[form] = {
                name: self.connection.put(part, part.type_signature)
                for name, part in form.parts.items()
            }
        return self._functions[form]

    def accumulate(
        self,
        form: RoundForm,
        broadcast: Handle,
        orders: Sequence[ClientOrder],
        clients: ClientData,
    ) -> Handle:
        """Trains clients and returns the accumulator of their updates; see `cohort.accumulate`."""
        return cohort.accumulate(self._lanes, self.functions(form), broadcast, orders, clients)

    def close(self) -> None:
        """Ends the session. What it held goes with the worker (`WorkerOptions.single_use`)."""
        self._lanes.pool.shutdown(wait=False, cancel_futures=True)
        self.connection.close()
