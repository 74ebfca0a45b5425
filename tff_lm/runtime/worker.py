"""A TFF worker on this machine: started tuned, closed to others, ended with its starter."""

import contextlib
import dataclasses
import importlib.util
import io
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import types
from collections.abc import Mapping
from typing import Any

from absl import logging

from tff_lm.runtime import cores, errors

_LAUNCHER = pathlib.Path(__file__).with_name("launcher.py")
_STOP_SECONDS = 10.0
_LOG_WARNINGS = "1"  # into the log file, whatever the run itself shows

# A computation whose argument is still being computed holds a thread of the worker's pool while it
# waits. The pool is therefore made far larger than the number of clients at once, which this
# runtime limits itself (cohort.py).
_POOL_THREADS_PER_CLIENT = 16

# Memory of freed tensors is kept and used again. By default glibc returns blocks above 32 MB to the
# system at once (then each round pays for fresh pages, zeroed by the kernel) and spreads tensors
# over one arena a thread, each fragmented by itself.
_LARGEST_HEAP_BLOCK_BYTES = 1 << 30
_KEPT_FREE_BYTES = 4 << 30
_THREADS_PER_ARENA = 4


def binary_path() -> pathlib.Path:
    """The worker that comes with TFF; found without the 15 s that importing TFF takes."""
    package = importlib.util.find_spec("tensorflow_federated")
    if package is None or not package.submodule_search_locations:
        raise errors.WorkerStartError("The package tensorflow_federated is not installed.")
    return pathlib.Path(package.submodule_search_locations[0]) / "data" / "worker_binary"


@dataclasses.dataclass(frozen=True)
class WorkerOptions:
    """How a worker is started.

    Attributes:
        concurrency: Clients that train at once.
        threads_per_client: Threads of one operation. Several clients with one thread each beat one
            client with all threads.
        log_path: File that receives the worker's output (appended to); None discards it.
        environment: Further environment variables of the worker.
        closed: Whether to try to close the worker off from other users and machines.
    """

    concurrency: int = dataclasses.field(default_factory=cores.available_cores)
    threads_per_client: int = 1
    log_path: str | None = None
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    closed: bool = True

    def __post_init__(self):
        for name in ("concurrency", "threads_per_client"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"WorkerOptions.{name} must be at least 1, got {getattr(self, name)}."
                )

    def process_environment(self) -> dict[str, str]:
        """The whole environment of the worker process."""
        tuned = {
            "TF_NUM_INTRAOP_THREADS": str(self.threads_per_client),
            "OMP_NUM_THREADS": str(self.threads_per_client),
            "MALLOC_MMAP_THRESHOLD_": str(_LARGEST_HEAP_BLOCK_BYTES),
            "MALLOC_TRIM_THRESHOLD_": str(_KEPT_FREE_BYTES),
            "MALLOC_ARENA_MAX": str(math.ceil(self.concurrency / _THREADS_PER_ARENA)),
            "TF_CPP_MIN_LOG_LEVEL": _LOG_WARNINGS,
        }
        return {**os.environ, **tuned, **self.environment}


class LocalWorker:
    """One worker process, as a context manager; it dies with this process, however that ends."""

    def __init__(self, options: WorkerOptions | None = None):
        self.options = options or WorkerOptions()
        self._launcher: subprocess.Popen | None = None
        self._report: dict = {}

    def __enter__(self) -> "LocalWorker":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def concurrency(self) -> int:
        """Clients that train at once in this worker."""
        return self.options.concurrency

    @property
    def target(self) -> str:
        """The gRPC target of the worker."""
        return self._started("target")

    @property
    def pid(self) -> int:
        """Process id of the worker (not of its launcher)."""
        return self._started("pid")

    @property
    def launcher_pid(self) -> int:
        """Process id of the launcher, the worker's parent."""
        return self._started("launcher_pid")

    @property
    def is_closed(self) -> bool:
        """Whether no other user and no other machine can reach the worker."""
        return self._started("open_because") is None

    def _started(self, field: str) -> Any:
        if not self._report:
            raise RuntimeError("The worker is not running: call start() first.")
        return self._report[field]

    def alive(self) -> bool:
        """Whether the worker process runs."""
        return self._launcher is not None and self._launcher.poll() is None

    def start(self) -> None:
        """Starts the worker; does nothing if it runs.

        It accepts connections at once and answers when it is up.

        Raises:
            WorkerStartError: if the process ended at once.
        """
        if self.alive():
            return
        self.stop()
        with self._open_log() as log:
            self._launcher = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.options.process_environment(),
                start_new_session=True,  # a Ctrl-C at the terminal is for the run alone to handle
            )
        assert self._launcher.stdout is not None
        line = self._launcher.stdout.readline()
        if not line:
            self.stop()
            raise errors.WorkerStartError(
                f"The worker {binary_path()} did not start; see its log "
                f"({self.options.log_path or 'set log_path'})."
            )
        self._report = {**json.loads(line), "launcher_pid": self._launcher.pid}
        self._warn_if_open()

    def _command(self) -> list[str]:
        pool = self.options.concurrency * _POOL_THREADS_PER_CLIENT + _POOL_THREADS_PER_CLIENT
        command = [sys.executable, "-I", "-S", str(_LAUNCHER), f"--run={os.getpid()}"]
        if not self.options.closed:
            command.append("--open")
        return [*command, "--", str(binary_path()), f"--max_concurrent_computation_calls={pool}"]

    def _open_log(self) -> io.BufferedWriter:
        if self.options.log_path is None:
            return open(os.devnull, "ab")
        pathlib.Path(self.options.log_path).parent.mkdir(parents=True, exist_ok=True)
        return open(self.options.log_path, "ab")

    def _warn_if_open(self) -> None:
        if self.is_closed or not self.options.closed:
            return
        logging.log_first_n(
            logging.WARNING,
            "The worker listens on every network interface (%s) without authentication, and "
            "whoever reaches it can run code as you: this system allows no network namespace (%s). "
            "Run it behind a firewall, or allow unprivileged user namespaces.",
            1,
            self.target,
            self._report["open_because"],
        )

    def stop(self) -> None:
        """Ends the worker and waits until it is gone; does nothing if it does not run."""
        launcher, self._launcher = self._launcher, None
        folder = self._report.get("folder")
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
            launcher.kill()  # the worker dies with it
            launcher.wait()
        if folder is not None:  # only there if the launcher was killed
            shutil.rmtree(folder, ignore_errors=True)
