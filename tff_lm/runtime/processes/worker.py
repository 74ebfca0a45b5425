"""A TFF worker on this machine: started tuned, closed to others, ended with its starter."""

# bazel: imports = tensorflow_federated

import dataclasses
import importlib.util
import os
import pathlib
from collections.abc import Mapping

from absl import logging

from tff_lm.runtime import errors
from tff_lm.runtime.processes import allocator, cores
from tff_lm.runtime.processes.child_process import ChildProcess
from tff_lm.runtime.processes.start_stop import StartStop

_LOG_WARNINGS = "1"  # into the log file, whatever the run itself shows

# A computation whose argument is still being computed holds a thread of the worker's pool while it
# waits. The pool is therefore made far larger than the number of clients at once, which this
# runtime limits itself (cohort.py).
_POOL_THREADS_PER_CLIENT = 16


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
        single_use: Whether the worker ends when its last connection has ended, and so forgets what
            a run, however it ended, left in it.
    """

    concurrency: int = dataclasses.field(default_factory=cores.available_cores)
    threads_per_client: int = 1
    log_path: str | None = None
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    single_use: bool = False

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
            **allocator.environment(self.concurrency),
            "TF_CPP_MIN_LOG_LEVEL": _LOG_WARNINGS,
        }
        return {**os.environ, **tuned, **self.environment}


class LocalWorker(StartStop):
    """One worker process, as a context manager; it dies with this process, however that ends."""

    def __init__(self, options: WorkerOptions | None = None):
        self.options = options or WorkerOptions()
        self._process = ChildProcess(self.options.log_path)

    @property
    def concurrency(self) -> int:
        """Clients that train at once in this worker."""
        return self.options.concurrency

    @property
    def target(self) -> str:
        """The gRPC target of the worker."""
        return f"unix:{self.socket_path}"

    @property
    def socket_path(self) -> pathlib.Path:
        """The socket of the worker.

        Raises:
            RuntimeError: if the worker was not started.
        """
        _ = self.pid
        return self._process.socket_path

    @property
    def pid(self) -> int:
        """Process id of the worker (not of its launcher)."""
        return self._process.report["pid"]

    @property
    def launcher_pid(self) -> int:
        """Process id of the launcher, the worker's parent."""
        return self._process.report["launcher_pid"]

    @property
    def is_closed(self) -> bool:
        """Whether no other user and no other machine can reach the worker."""
        return self._process.report["open_because"] is None

    def alive(self) -> bool:
        """Whether the worker process runs."""
        return self._process.alive()

    def start(self) -> None:
        """Starts the worker; does nothing if it runs.

        It accepts connections at once and answers when it is up.

        Raises:
            WorkerStartError: if the process ended at once.
        """
        if self.alive():
            return
        self.stop()
        self._process.make_folder()
        flags = ["--private", *(["--single_use"] if self.options.single_use else [])]
        self._process.start(self._command(), flags, self.options.process_environment())
        if not self.is_closed:
            self._warn_that_it_is_open()

    def _command(self) -> list[str]:
        pool = (self.options.concurrency + 1) * _POOL_THREADS_PER_CLIENT
        flags = ["--port={port}", f"--max_concurrent_computation_calls={pool}"]
        return [str(binary_path()), *flags]

    def _warn_that_it_is_open(self) -> None:
        logging.log_first_n(
            logging.WARNING,
            "The worker listens on a port of every network interface without authentication, and "
            "whoever reaches it can run code as you: this system allows no network namespace (%s). "
            "Run it behind a firewall, or allow unprivileged user namespaces.",
            1,
            self._process.report["open_because"],
        )

    def stop(self) -> None:
        """Ends the worker and waits until it is gone; does nothing if it does not run."""
        self._process.stop()
