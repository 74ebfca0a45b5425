"""One bar over the rounds of all runs of a sweep."""

from __future__ import annotations

import pathlib
import sys
import time
from collections.abc import Sequence
from typing import TextIO

import tqdm

from tff_lm.sweep.plan import Run


class SweepProgress:
    """A bar on a terminal, and lines on the events; in a log file the lines alone."""

    def __init__(
        self, runs: Sequence[Run], rounds_to_come: int = 0, stream: TextIO | None = None
    ) -> None:
        """`rounds_to_come`: those of runs that will be `add`ed; `stream`: stderr by default."""
        self._runs = list(runs)
        self._stream = stream = stream or sys.stderr
        # Its thread would make it unsafe to prepare children between fork and exec; `show`, which
        # is called all the time, does what it is for.
        tqdm.tqdm.monitor_interval = 0
        self._begun, self._done_before = time.monotonic(), self._done()
        self._bar = tqdm.tqdm(
            total=sum(run.rounds for run in runs) + rounds_to_come,
            initial=self._done_before,
            unit="round",
            file=stream,
            disable=not stream.isatty(),
            dynamic_ncols=True,
            # Time left from the whole sweep so far: its runs differ in speed.
            smoothing=0.0,
        )

    def add(self, run: Run) -> None:
        """Follows one more run."""
        self._runs.append(run)

    def show(self, running: Sequence[str]) -> None:
        """Brings the bar up to date; `running`: the names of the runs at work."""
        if self._bar.disable:
            return
        # A resumed run may fall back to its checkpoint: the difference can be negative.
        self._bar.set_postfix_str(", ".join(running), refresh=False)
        self._bar.update(self._done() - self._bar.n)

    def say(self, line: str) -> None:
        """Prints a line without disturbing the bar."""
        if self._bar.disable:
            print(line, file=self._stream, flush=True)
        else:
            self._bar.write(line, file=self._stream)

    def standing(self) -> str:
        """How far the sweep is, and how long it may still take, in words."""
        done, total = self._done(), self._bar.total
        elapsed = time.monotonic() - self._begun
        words = f"{done:,} of {total:,} rounds of the sweep"
        if done <= self._done_before:
            return words
        left = (total - done) * elapsed / (done - self._done_before)
        return f"{words}, about {self._bar.format_interval(left)} left"

    def close(self) -> None:
        """Leaves the bar as it stands."""
        self._bar.close()

    def _done(self) -> int:
        return sum(min(last_round(run.workdir.metrics), run.rounds) for run in self._runs)


def last_round(metrics: pathlib.Path) -> int:
    """The last round that a metrics.csv holds in full; 0 if there is none."""
    try:
        lines = metrics.read_text().splitlines(keepends=True)
    except OSError:
        return 0
    # A half-written last line lacks its newline; the first line is the header.
    whole = [line for line in lines[1:] if line.endswith("\n")]
    return int(whole[-1].partition(",")[0]) if whole else 0
