"""Rows of Parquet and Arrow files, and of folders that the package `datasets` saved.

Read by pyarrow, which is imported with the first such file; only the two columns, a batch at a
time.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tasks.corpus import BadRow, CorpusOptions
from tasks.errors import TaskError, unknown_name
from tasks.readers.data_files import DataFile
from tasks.readers.rows import Row, row_of_record

if TYPE_CHECKING:
    import pyarrow

_BATCH_ROWS = 4096
# How an Arrow file for random access begins; one that is a stream, as in `datasets`, does not.
_FILE_MAGIC = b"ARROW1"


def parse_parquet(file: DataFile, options: CorpusOptions) -> Iterator[Row | BadRow]:
    """Rows of Parquet, by number from 1."""
    import pyarrow.parquet

    with _arrow_errors(file), pyarrow.parquet.ParquetFile(str(file.path)) as table:
        columns = _columns(file, table.schema_arrow, options)
        batches = table.iter_batches(_BATCH_ROWS, columns=columns, use_threads=False)
        yield from _rows(batches, columns, file, options)


def parse_arrow(file: DataFile, options: CorpusOptions) -> Iterator[Row | BadRow]:
    """Rows of an Arrow file or stream, by number from 1.

    In a folder with a state.json (`Dataset.save_to_disk`), a file that this does not name is what
    an earlier, longer data set left.

    Raises:
      TaskError: Also if the folder's rows are selected by a file of indices.
    """
    state = _saved_state(file.path.parent)
    names = [each["filename"] for each in state.get("_data_files") or ()]
    if names and file.path.name not in names:
        yield BadRow(file.name, 0, "not read: state.json beside it does not name it")
        return
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise TaskError(
            f"{file.path.parent} holds all rows and the indices of some; save those alone: "
            "dataset.flatten_indices().save_to_disk(FOLDER)"
        )
    yield from _parse_arrow(file, options)


def _parse_arrow(file: DataFile, options: CorpusOptions) -> Iterator[Row | BadRow]:
    import pyarrow

    with _arrow_errors(file), pyarrow.OSFile(str(file.path)) as source:
        random_access = source.read(len(_FILE_MAGIC)) == _FILE_MAGIC
        source.seek(0)
        if random_access:
            reader = pyarrow.ipc.open_file(source)
            batches = (reader.get_batch(n) for n in range(reader.num_record_batches))
        else:
            reader = batches = pyarrow.ipc.open_stream(source)
        columns = _columns(file, reader.schema, options)
        parts = (
            batch.slice(start, _BATCH_ROWS)
            for batch in batches
            for start in range(0, batch.num_rows, _BATCH_ROWS)
        )
        yield from _rows(parts, columns, file, options)


def _saved_state(folder: pathlib.Path) -> dict:
    path = folder / "state.json"
    if not path.is_file():
        return {}
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TaskError(f"{path} is damaged ({error}); save the data set again") from error
    return state if isinstance(state, dict) else {}


@contextlib.contextmanager
def _arrow_errors(file: DataFile) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        first = str(error).splitlines()[0]
        raise TaskError(f"{file.path} is damaged, or not {file.kind[1:]} ({first})") from error


def _columns(file: DataFile, schema: pyarrow.Schema, options: CorpusOptions) -> list[str]:
    columns = [options.user_column, options.text_column]
    for column in columns:
        if column not in schema.names:
            raise unknown_name(f"column (of {file.name})", column, schema.names)
        if schema.names.count(column) > 1:
            raise TaskError(f"{file.name} has two columns {column!r}; rename one")
    return columns


def _rows(
    batches: Iterator[pyarrow.RecordBatch],
    columns: list[str],
    file: DataFile,
    options: CorpusOptions,
) -> Iterator[Row | BadRow]:
    number = 0
    for batch in batches:
        values = [batch.column(name).to_pylist() for name in columns]
        for row in zip(*values, strict=True):
            number += 1
            yield row_of_record(dict(zip(columns, row, strict=True)), file.name, number, options)
