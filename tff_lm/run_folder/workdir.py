"""The folder of one run: where each thing lies, and that only one process works in it."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import pathlib
from types import TracebackType

from tff_lm.run_folder import files
from tff_lm.run_folder.errors import RunError


@dataclasses.dataclass(frozen=True)
class Workdir:
    """The layout of a run's folder."""

    root: pathlib.Path

    @property
    def config(self) -> pathlib.Path:
        return self.root / "config.json"

    @property
    def metrics(self) -> pathlib.Path:
        return self.root / "metrics.csv"

    @property
    def summary(self) -> pathlib.Path:
        return self.root / "summary.json"

    @property
    def communication(self) -> pathlib.Path:
        """Bytes of the run by variable."""
        return self.root / "communication.json"

    @property
    def vocabulary(self) -> pathlib.Path:
        return self.root / "vocabulary.txt"

    @property
    def bad_rows(self) -> pathlib.Path:
        """Rows of the data that could not be read, where there are any."""
        return self.root / "bad_rows.txt"

    @property
    def client_states(self) -> pathlib.Path:
        """What clients keep between rounds, where that is much."""
        return self.root / "client_states.sqlite"

    @property
    def plots(self) -> pathlib.Path:
        return self.root / "plots"

    @property
    def checkpoints(self) -> pathlib.Path:
        return self.root / "checkpoints"

    @property
    def tensorboard(self) -> pathlib.Path:
        return self.root / "tensorboard"

    @property
    def worker_log(self) -> pathlib.Path:
        return self.root / "logs" / "worker.log"

    def create(self) -> None:
        """Makes the folders; raises RunError where that is not possible."""
        try:
            for folder in (self.plots, self.checkpoints, self.tensorboard, self.worker_log.parent):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"--workdir {self.root} cannot be created: {error.strerror}; name another folder"
            ) from error


class Lock:
    """Holds a workdir until the `with` block or the process ends, however it ends."""

    def __init__(self, workdir: Workdir) -> None:
        """Takes the lock; raises RunError naming the process that has it."""
        # The kernel drops the lock with the process, so a killed run leaves nothing to clean up.
        path = workdir.root / ".lock"
        self._file = open(path, "a+")  # noqa: SIM115 (held while we work)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            owner = self._file.read().strip() or "unknown"
            self._file.close()
            raise RunError(
                f"process {owner} is at work in {workdir.root}; wait for it or choose another "
                "--workdir"
            ) from None
        with files.naming(path):
            self._file.truncate(0)
            self._file.write(str(os.getpid()))
            self._file.flush()

    def __enter__(self) -> Lock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
