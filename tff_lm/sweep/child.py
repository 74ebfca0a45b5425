"""One run as a process: its program, its output in a file, gone when we are."""

# bazel: imports = bin.pretrain bin.train

from __future__ import annotations

import ctypes
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable

from tff_lm.sweep.plan import Run

_PR_SET_PDEATHSIG = 1
_ROOT = pathlib.Path(__file__).parents[2]
_libc = ctypes.CDLL(None, use_errno=True)


class Child:
    """A started run.

    It has a session of its own, so that a Ctrl-C at the terminal reaches the sweep alone, which
    passes it on: twice would mean "stop at once". Should the sweep be killed, the kernel kills the
    child, whose workers end with it. To be started from the main thread, on whose life that hangs.
    """

    def __init__(self, run: Run, cores: Iterable[int] = (), module: str = "") -> None:
        """Starts the run on `cores` (ids; empty: wherever we may compute).

        `module` is its program; "": the run's own.
        """
        self.run = run
        self.log = log_path(run)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module or run.program, *run.flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(),
                start_new_session=True,
                preexec_fn=_tether(os.getpid(), frozenset(cores)),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def failure(self) -> str:
        """Why it has ended too early, in a line; "" if it finished."""
        code = self._process.wait()
        if code == 0:
            return ""
        if code < 0:
            return f"ended by {signal.Signals(-code).name}"
        return last_line(self.log) or f"exit code {code}"

    def interrupt(self) -> None:
        """Asks it to end after its round, with a checkpoint; asked again, it ends at once."""
        self._process.terminate()

    def stop(self, seconds: float = 20.0) -> None:
        """Ends it now, and waits until it is gone."""
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def log_path(run: Run) -> pathlib.Path:
    """The file with a run's output."""
    return run.workdir.worker_log.with_name("run.log")


def last_line(path: pathlib.Path) -> str:
    """The last line of a text file that is not empty; "" if there is none."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line for line in reversed(lines) if line.strip()), "")


def _environment() -> dict[str, str]:
    # Under Bazel the packages come from sys.path alone; outside it the user may be elsewhere.
    path = os.pathsep.join([str(_ROOT), *filter(None, sys.path)])
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _tether(parent: int, cores: frozenset[int]) -> Callable[[], None]:
    """What the child does before it becomes bin.train."""

    def prepare() -> None:
        if _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0 or os.getppid() != parent:
            os._exit(1)  # we died before the tether held
        if cores:
            os.sched_setaffinity(0, cores)

    return prepare
