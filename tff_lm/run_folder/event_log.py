"""TensorBoard's event files, written without TensorFlow and without a thread.

TensorBoard's own writer reports a full disk from another thread, or not at all.
"""

from __future__ import annotations

import math
import pathlib
import time
from collections.abc import Mapping

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

from tff_lm.run_folder import files

_VERSION = "brain.Event:2"


class EventLog:
    """Scalars by round. A resumed run hides what a killed one had written past its checkpoint."""

    def __init__(self, folder: pathlib.Path, first_step: int) -> None:
        """Opens a new event file whose steps begin at `first_step`."""
        # TensorBoard reads the files of a folder in the order of their names.
        self._path = folder / f"events.out.tfevents.{time.time():.6f}"
        self._file = open(self._path, "wb")  # noqa: SIM115 (kept open over the run)
        self._records = RecordWriter(self._file)
        self._add(0, file_version=_VERSION)
        if first_step > 0:
            # TensorBoard drops the events of earlier files from this step on.
            start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            self._add(first_step, session_log=start)
        self.flush()

    def scalars(self, round_number: int, values: Mapping[str, float | None]) -> None:
        """Adds the finite ones of `values`; names with a "/" are grouped by TensorBoard."""
        summary = summary_pb2.Summary(
            value=[
                summary_pb2.Summary.Value(tag=tag, simple_value=value)
                for tag, value in values.items()
                if value is not None and math.isfinite(value)
            ]
        )
        self._add(round_number, summary=summary)
        self.flush()

    def flush(self) -> None:
        """Hands what is buffered to the system."""
        with files.naming(self._path):
            self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        with files.naming(self._path):
            self._file.close()

    def _add(self, step: int, **content: object) -> None:
        event = event_pb2.Event(wall_time=time.time(), step=step, **content)
        with files.naming(self._path):
            self._records.write(event.SerializeToString())
