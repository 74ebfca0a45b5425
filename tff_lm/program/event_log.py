"""TensorBoard's event files, written without TensorFlow."""

from __future__ import annotations

import math
import pathlib
import time
from collections.abc import Mapping

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.event_file_writer import EventFileWriter


class EventLog:
    """Scalars by round. A resumed run hides what a killed one had written past its checkpoint."""

    def __init__(self, folder: pathlib.Path, first_step: int) -> None:
        self._writer = EventFileWriter(str(folder))
        if first_step > 0:
            # TensorBoard drops the events of earlier files from this step on.
            start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            self._add(first_step, session_log=start)

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

    def flush(self) -> None:
        """Writes what is buffered."""
        self._writer.flush()

    def close(self) -> None:
        """Writes what is buffered and closes the file."""
        self._writer.close()

    def _add(self, step: int, **content: object) -> None:
        self._writer.add_event(event_pb2.Event(wall_time=time.time(), step=step, **content))
