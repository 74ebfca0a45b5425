"""metrics.csv: one row a round, the same after an interruption as without one."""

from __future__ import annotations

import csv
import io
import math
import os
import pathlib
from collections.abc import Mapping, Sequence

from tff_lm.run_folder import files
from tff_lm.run_folder.errors import DamagedFileError

# A figure that a round does not have (no evaluation was due) is an empty cell.
_EMPTY = ""


class MetricsTable:
    """The rows of metrics.csv, by round."""

    def __init__(self, path: pathlib.Path, columns: Sequence[str]) -> None:
        """`columns`: the header, "round" first; every row has all of them."""
        self._path = path
        self._columns = list(columns)
        self._file: io.TextIOBase | None = None

    def start(self, last_round: int) -> list[dict[str, float]]:
        """Opens the table for appending after `last_round`, dropping what lies beyond it.

        A run that was killed may have written rows past its last checkpoint, and half a line.
        With `last_round` -1 the table starts anew.

        Returns:
          The rows kept, as `read_rows` gives them.

        Raises:
          DamagedFileError: if the file holds something else.
        """
        try:
            kept = [row for row in self._raw_rows() if int(row["round"]) <= last_round]
            rows = [_numbers(row) for row in kept]
        except ValueError as error:
            raise DamagedFileError(
                f"{self._path} is damaged ({error}); restore it or choose another --workdir"
            ) from error
        header = {name: name for name in self._columns}
        files.write_text(self._path, self._format([header, *kept]))
        self._file = open(self._path, "a", newline="")  # noqa: SIM115 (kept open over the run)
        return rows

    def append(self, row: Mapping[str, float | None]) -> None:
        """Adds one round. Keys that are no column are refused; missing ones stay empty."""
        unknown = set(row) - set(self._columns)
        if unknown:
            raise ValueError(f"metrics.csv has no column {', '.join(sorted(unknown))}")
        text = {name: _text(row.get(name)) for name in self._columns}
        assert self._file is not None, "start() comes before append()"
        with files.naming(self._path):
            self._file.write(self._format([text]))
            self._file.flush()

    def sync(self) -> None:
        """Makes the rows durable, before a checkpoint counts on them."""
        assert self._file is not None
        with files.naming(self._path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            with files.naming(self._path):
                self._file.close()
            self._file = None

    def _raw_rows(self) -> list[dict[str, str]]:
        if not self._path.exists():
            return []
        # A half-written last line lacks its newline.
        lines = self._path.read_text().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]
        rows = csv.DictReader(io.StringIO("".join(whole)))
        return [{name: row.get(name) or _EMPTY for name in self._columns} for row in rows]

    def _format(self, rows: Sequence[Mapping[str, str]]) -> str:
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, self._columns, lineterminator="\n")
        writer.writerows(rows)
        return buffer.getvalue()


def read_rows(path: pathlib.Path) -> list[dict[str, float]]:
    """The rows of a metrics.csv as numbers; cells without a figure are left out."""
    with open(path, newline="") as file:
        return [_numbers(row) for row in csv.DictReader(file)]


def _numbers(row: Mapping[str, str]) -> dict[str, float]:
    return {name: float(text) for name, text in row.items() if text != _EMPTY}


def _text(value: float | None) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return _EMPTY
    # repr of a Python float gives back the same float when read.
    number = float(value)
    return repr(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
