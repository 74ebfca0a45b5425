"""A worker's place in a runtime: its session while it lives, and when to try again once it died."""

import time

from absl import logging

from tff_lm.runtime import errors
from tff_lm.runtime.rounds.session import Worker, WorkerSession

_FIRST_ANSWER_SECONDS = 60.0
_LATER_ANSWER_SECONDS = 5.0
_RETRY_SECONDS = 60.0


class WorkerKeeper:
    """Keeps one worker in use.

    Attributes:
        worker: The worker.
        session: The session with it; None while it is out of reach.
        failure: Why it is.
    """

    def __init__(self, worker: Worker, window: int | None):
        self.worker = worker
        self.session: WorkerSession | None = None
        self.failure: errors.WorkerLostError | errors.WorkerStartError | None = None
        self._window = window
        self._answer_seconds = _FIRST_ANSWER_SECONDS
        self._retry_at = 0.0
        self._is_told = False

    def open(self, at_once: bool = False) -> None:
        """Sees to a session that is in order.

        A worker that did not answer is left alone for a minute, so that rounds do not wait for it
        again and again, unless `at_once` is set.
        """
        if self.session is not None:
            if not self.session.connection.lost and self.worker.alive():
                return
            self.close()
        if not at_once and time.monotonic() < self._retry_at:
            return
        try:
            self.session = WorkerSession(self.worker, self._window, self._answer_seconds)
            self.failure = None
        except (errors.WorkerLostError, errors.WorkerStartError) as error:
            self.failure = error
            self._is_told = False
            self.worker.stop()
            self._retry_at = time.monotonic() + _RETRY_SECONDS
        self._answer_seconds = _LATER_ANSWER_SECONDS

    def tell_failure(self) -> None:
        """Warns, once, that the others go on without the worker."""
        if self.failure is not None and not self._is_told:
            logging.warning("Going on without a worker: %s", self.failure)
            self._is_told = True

    def close(self) -> None:
        """Ends the session and the worker."""
        if self.session is not None:
            self.session.close()
            self.session = None
        self.worker.stop()
