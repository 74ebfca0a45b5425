"""Executes runs, some of them at once, until all have ended, well or not."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Sequence

from tff_lm import figures
from tff_lm.program.interrupt import Interrupts
from tff_lm.sweep.child import Child
from tff_lm.sweep.plan import Run
from tff_lm.sweep.progress import SweepProgress

_POLL_SECONDS = 0.2

Starter = Callable[[Run, Sequence[int]], Child]


class Pool:
    """Slots for processes. More than one share the cores evenly between them.

    Attributes:
      failures: of the runs so far that failed, by name: why, and where their output is.
    """

    def __init__(
        self,
        parallel: int,
        interrupts: Interrupts,
        progress: SweepProgress,
        start: Starter = Child,
    ) -> None:
        """`parallel`: how many runs at once; `start`: starts a run on the given cores."""
        cores = sorted(os.sched_getaffinity(0))
        shares = [cores[slot::parallel] for slot in range(parallel)]
        # With fewer cores than slots the system shares them out.
        self._cores = shares if parallel > 1 and all(shares) else [[] for _ in range(parallel)]
        self._slots: list[Child | None] = [None] * parallel
        self._interrupts = interrupts
        self._progress = progress
        self._start = start
        self.failures: dict[str, str] = {}

    def execute(self, runs: Sequence[Run]) -> None:
        """Executes `runs` in their order, and waits for them.

        Raises:
          Interrupted: after a signal, once every process has ended: after its round, with a
            checkpoint, or at once after a second signal.
        """
        waiting = deque(runs)
        try:
            while (waiting or self._running()) and not self._interrupts.requested:
                self._fill(waiting)
                self._wait()
            for child in self._running():
                child.interrupt()
            while self._running():
                self._wait()
        finally:
            for child in self._running():
                child.stop()
            self._slots = [None] * len(self._slots)
        self._interrupts.raise_if_requested()

    def refuse(self, run: Run, why: str) -> None:
        """Counts a run as failed that is not to be started."""
        self.failures[run.name] = why
        self._progress.say(f"{run.name}: not started: {why}")

    def _running(self) -> list[Child]:
        return [child for child in self._slots if child is not None]

    def _fill(self, waiting: deque[Run]) -> None:
        for slot, child in enumerate(self._slots):
            if child is None and waiting:
                run = waiting.popleft()
                self._progress.say(f"{run.name}: started")
                self._slots[slot] = self._start(run, self._cores[slot])

    def _wait(self) -> None:
        """Lets some time pass, then frees the slots of the runs that have ended."""
        time.sleep(_POLL_SECONDS)
        for slot, child in enumerate(self._slots):
            if child is not None and child.ended():
                self._slots[slot] = None
                self._report(child)
        self._progress.show([child.run.name for child in self._running()])

    def _report(self, child: Child) -> None:
        name, failure = child.run.name, child.failure()
        if not failure:
            standing = self._progress.standing()
            self._progress.say(f"{name}: finished{_reached(child.run)}; {standing}")
        elif not self._interrupts.requested:
            self.failures[name] = f"{failure} ({child.log})"
            self._progress.say(f"{name}: FAILED: {self.failures[name]}")


def _reached(run: Run) -> str:
    result = run.result()
    if not result or result["validation"]["token_perplexity"] is None:
        return ""
    perplexity = figures.with_headline(result["validation"], "token_perplexity")
    return f", validation perplexity {perplexity}"
