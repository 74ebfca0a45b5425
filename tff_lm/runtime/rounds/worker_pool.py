"""The workers of a run: sessions with those that are alive, and cohorts spread over them."""

from collections.abc import Sequence

from tff_lm.client_order import ClientOrder
from tff_lm.runtime import errors
from tff_lm.runtime.network.connection import Handle
from tff_lm.runtime.processes.start_stop import StartStop
from tff_lm.runtime.processes.worker import LocalWorker
from tff_lm.runtime.rounds import distribution
from tff_lm.runtime.rounds.client_states import ClientData
from tff_lm.runtime.rounds.round_form import RoundForm
from tff_lm.runtime.rounds.session import Worker, WorkerSession
from tff_lm.runtime.rounds.worker_keeper import WorkerKeeper


class WorkerPool(StartStop):
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
        self._slots = [WorkerKeeper(worker, chunk_size) for worker in workers or [LocalWorker()]]

    def start(self) -> None:
        """Sees to the sessions with the workers; those in order are left as they are.

        Raises:
            WorkerLostError: if no worker answers.
            WorkerStartError: if none does, and the first cannot be started.
        """
        for slot in self._slots:
            slot.open()
        first = self._slots[0]
        if not any(slot.session for slot in self._slots):
            first.open(at_once=True)
        if not any(slot.session for slot in self._slots):
            if isinstance(first.failure, errors.WorkerStartError):
                raise first.failure
            raise errors.WorkerLostError(
                f"None of the workers answers ({first.failure}); see their logs, in logs/"
            )
        for slot in self._slots:
            slot.tell_failure()

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

    def accumulate(
        self,
        form: RoundForm,
        broadcast: Handle,
        orders: Sequence[ClientOrder],
        clients: ClientData,
    ) -> Handle:
        """Trains a cohort on all workers; returns the accumulator of its updates at home."""
        slices = distribution.split(orders, [worker.concurrency for worker in self.workers])
        sessions = [slot.session for slot in self._slots]
        return distribution.accumulate(sessions, self.home(), form, broadcast, slices, clients)
