"""Where a finished round is written down: metrics.csv, TensorBoard and the screen."""

from __future__ import annotations

import contextlib
from types import TracebackType

from tff_lm.run_folder.errors import RunError
from tff_lm.run_folder.event_log import EventLog
from tff_lm.run_folder.metrics_columns import MetricsColumns
from tff_lm.run_folder.metrics_table import MetricsTable
from tff_lm.run_folder.progress import Progress
from tff_lm.run_folder.workdir import Workdir

Row = dict[str, float]


class RunLog:
    """The rounds of a run, `rows`, kept equal on disk. A context manager that closes the files."""

    def __init__(
        self, workdir: Workdir, columns: MetricsColumns, *, done: int, rounds: int
    ) -> None:
        """Opens the log after round `done` (-1: a new run), forgetting anything beyond it.

        Raises:
          RunError: if rows up to `done` are missing.
        """
        self._columns = columns
        with contextlib.ExitStack() as opened:
            self._table = MetricsTable(workdir.metrics, columns.names)
            self.rows: list[Row] = self._table.start(last_round=done)
            opened.callback(self._table.close)
            if len(self.rows) != done + 1:
                raise RunError(
                    f"{workdir.metrics} has {len(self.rows)} of the {done + 1} rounds up to the "
                    "checkpoint; restore the file or choose another --workdir"
                )
            self._events = EventLog(workdir.tensorboard, first_step=done + 1)
            opened.callback(self._events.close)
            self._progress = Progress(rounds, max(done, 0))
            opened.callback(self._progress.close)
            self._rejected = any(row.get("non_finite_clients", 0.0) > 0 for row in self.rows)
            self._close = opened.pop_all().close

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def add(self, row: Row) -> None:
        """Writes one round down."""
        self.rows.append(row)
        self._table.append(row)
        self._events.scalars(int(row["round"]), self._columns.for_tensorboard(row))
        if "loss" in row:
            self._progress.round_done(
                loss=row["loss"],
                keyboard_perplexity=row["keyboard_perplexity"],
                tokens_per_second=row["tokens_per_second"],
                upload_bytes_per_client=row["upload_bytes"] / max(row["clients"], 1),
                upload_reduction=row["upload_reduction"],
                rejected=row["non_finite_clients"],
            )
            self._tell_rejected(row)
        if "validation_loss" in row:
            for line in self._columns.evaluation_lines(row):
                self._progress.say(line)

    def _tell_rejected(self, row: Row) -> None:
        """Says so when clients are rejected for the first time; the bar and metrics.csv go on."""
        if row["non_finite_clients"] and not self._rejected:
            self._progress.say(
                f"round {row['round']:.0f}: {row['non_finite_clients']:.0f} of "
                f"{row['clients']:.0f} clients rejected, their update or loss is not finite; "
                "non_finite_clients in metrics.csv counts them"
            )
        self._rejected = self._rejected or row["non_finite_clients"] > 0

    def sync(self) -> None:
        """Makes the rows durable, before a checkpoint vouches for them."""
        self._table.sync()
