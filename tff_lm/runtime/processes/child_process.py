"""A child process that ends when this process ends, whatever way that happens."""

# bazel: imports = tff_lm.runtime.processes.launcher

import contextlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from tff_lm.runtime import errors

_LAUNCHER = pathlib.Path(__file__).with_name("launcher.py")
_STOP_SECONDS = 10.0
_PREFIX, _SOCKET = "tff_lm_", "socket"
# A Unix socket's path ends with a zero byte in 108; mkdtemp adds eight characters.
_LONGEST = 107 - len(f"/{_PREFIX}12345678/{_SOCKET}")


class ChildProcess:
    """A command run under `launcher.py`, with a private folder that goes when it goes."""

    def __init__(self, log_path: str | None = None):
        """Starts nothing yet.

        Args:
            log_path: File that receives the command's output (appended to); None discards it.
        """
        self._log_path = log_path
        self._launcher: subprocess.Popen | None = None
        self._report: dict[str, Any] = {}
        self.folder = pathlib.Path()

    @property
    def report(self) -> Mapping[str, Any]:
        """What the launcher told: the command's "pid", "open_because", and "launcher_pid".

        Raises:
            RuntimeError: if the command was not started.
        """
        if not self._report:
            raise RuntimeError("The process is not running: call start() first.")
        return self._report

    def alive(self) -> bool:
        """Whether the command runs."""
        return self._launcher is not None and self._launcher.poll() is None

    def make_folder(self) -> pathlib.Path:
        """Makes the private folder (mode 0700) of the next start.

        Raises:
            WorkerStartError: if there is no folder for it, in one line.
        """
        try:
            folder = tempfile.mkdtemp(prefix=_PREFIX, dir=_short_folder(tempfile.gettempdir()))
        except OSError as error:
            raise errors.WorkerStartError(
                f"No folder for a worker's socket could be made ({error}); set TMPDIR to a folder "
                "that is writable."
            ) from error
        self.folder = pathlib.Path(folder)
        return self.folder

    @property
    def socket_path(self) -> pathlib.Path:
        """The socket in the private folder that leads to the command."""
        return self.folder / _SOCKET

    def start(
        self,
        command: Sequence[str],
        flags: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Starts the command; `make_folder` comes first.

        Args:
            command: The command; "{port}" in it becomes a free port.
            flags: Further flags of the launcher.
            environment: Its whole environment; by default ours.

        Raises:
            WorkerStartError: if it ended at once.
        """
        launch = [sys.executable, "-I", "-S", str(_LAUNCHER)]
        flags = [f"--run={os.getpid()}", f"--folder={self.folder}", *flags]
        with self._open_log() as log:
            try:
                self._launcher = subprocess.Popen(
                    [*launch, *flags, "--", *command],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=environment,
                    # A Ctrl-C at the terminal is for the run alone to handle.
                    start_new_session=True,
                )
            except OSError as error:
                raise _not_started(command, str(error)) from error
        assert self._launcher.stdout is not None
        line = self._launcher.stdout.readline()
        report = json.loads(line) if line else {}
        if "pid" not in report:
            self.stop()
            raise _not_started(
                command,
                report.get("error", f"see its log, {self._log_path or 'once it has a log path'}"),
            )
        self._report = {**report, "launcher_pid": self._launcher.pid}

    def _open_log(self) -> io.BufferedWriter:
        if self._log_path is None:
            return open(os.devnull, "ab")
        pathlib.Path(self._log_path).parent.mkdir(parents=True, exist_ok=True)
        return open(self._log_path, "ab")

    def stop(self) -> None:
        """Ends the command and waits until it is gone; does nothing if it does not run."""
        launcher, self._launcher = self._launcher, None
        self._report = {}
        if launcher is None:
            return
        for pipe in (launcher.stdin, launcher.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            launcher.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            launcher.kill()  # the command dies with it
            launcher.wait()
        shutil.rmtree(self.folder, ignore_errors=True)  # only there if the launcher was killed


def _not_started(command: Sequence[str], why: str) -> errors.WorkerStartError:
    return errors.WorkerStartError(
        f"{command[0]} did not start: {why}. Where processes, memory or files are limited, allow "
        "more (`ulimit -a` shows the limits)."
    )


def _short_folder(folder: str) -> str:
    """`folder`, or /tmp where the path of a socket in it would be longer than the system allows."""
    return folder if len(os.fsencode(folder)) <= _LONGEST else "/tmp"
