"""Rows of the user's own files (JSON lines, CSV, text), good and bad, with line numbers."""

import csv
import json
import pathlib
from collections.abc import Callable, Iterator, Mapping

from tasks.corpus import BadRow, CorpusOptions
from tasks.errors import TaskError, unknown_name
from tasks.normalization import normalize_text

# A user's id and one text of theirs.
Row = tuple[str, str]
Parser = Callable[[pathlib.Path, CorpusOptions], Iterator[Row | BadRow]]


def _decoded_lines(path: pathlib.Path) -> Iterator[tuple[int, str | BadRow]]:
    """Lines of a UTF-8 file with their numbers from 1; a line that is not UTF-8 is a bad row."""
    with open(path, "rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                # The mark that some editors put at the start of a file is no part of its text.
                yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                yield number, BadRow(path.name, number, "not UTF-8")


def _is_empty(text: str) -> bool:
    """Whether nothing of a text remains when it is normalized."""
    return not normalize_text(text, lower_case=False)


def _row_of_record(
    record: Mapping[str, object], source: str, line: int, options: CorpusOptions
) -> Row | BadRow:
    """Checks the two columns of a record."""
    for column in (options.user_column, options.text_column):
        if record.get(column) is None:
            return BadRow(source, line, f"no {column!r}")
    user, text = record[options.user_column], record[options.text_column]
    if isinstance(user, bool) or not isinstance(user, str | int):
        return BadRow(source, line, f"{options.user_column!r} is neither text nor a whole number")
    if not isinstance(text, str):
        return BadRow(source, line, f"{options.text_column!r} is not text")
    user = str(user).strip()
    if not user or _is_empty(text):
        empty = options.text_column if user else options.user_column
        return BadRow(source, line, f"{empty!r} is empty")
    if "\0" in user:
        return BadRow(source, line, f"{options.user_column!r} holds a NUL")
    if any("\ud800" <= character <= "\udfff" for character in user):
        return BadRow(source, line, f"{options.user_column!r} is not valid Unicode")
    return user, text


def parse_json_lines(path: pathlib.Path, options: CorpusOptions) -> Iterator[Row | BadRow]:
    """One JSON object a line, with a user and a text; blank lines are skipped."""
    for number, line in _decoded_lines(path):
        if isinstance(line, BadRow):
            yield line
        elif line.strip():
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield BadRow(path.name, number, f"not JSON ({error})")
                continue
            if isinstance(record, dict):
                yield _row_of_record(record, path.name, number, options)
            else:
                yield BadRow(path.name, number, "not a JSON object")


def parse_csv(path: pathlib.Path, options: CorpusOptions) -> Iterator[Row | BadRow]:
    """Comma-separated values (tabs in a .tsv) with a header line that names the columns."""
    bad: list[BadRow] = []

    def lines() -> Iterator[str]:
        for _, line in _decoded_lines(path):
            if isinstance(line, BadRow):
                bad.append(line)
                yield "\n"  # Keeps the reader's line numbers right; a blank line is no row.
            else:
                yield line + "\n"

    delimiter = "\t" if path.suffix == ".tsv" else ","
    reader = csv.reader(lines(), delimiter=delimiter)
    header = next(reader, [])
    for column in (options.user_column, options.text_column):
        if column not in header:
            raise unknown_name(f"column (in the header of {path.name})", column, header)
    while True:
        try:
            values = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            yield BadRow(path.name, reader.line_num, f"not CSV ({error})")
            continue
        if not values:
            continue
        if len(values) != len(header):
            reason = f"{len(values)} values, but the header has {len(header)}"
            yield BadRow(path.name, reader.line_num, reason)
        else:
            record = dict(zip(header, values, strict=True))
            yield _row_of_record(record, path.name, reader.line_num, options)
    yield from bad


def parse_plain_text(path: pathlib.Path, options: CorpusOptions) -> Iterator[Row | BadRow]:
    """The file of one user, who is named by it: one sentence a line; blank lines are skipped."""
    del options
    for _, line in _decoded_lines(path):
        if isinstance(line, BadRow):
            yield line
        elif not _is_empty(line):
            yield path.stem, line


PARSERS: Mapping[str, Parser] = {
    ".jsonl": parse_json_lines,
    ".ndjson": parse_json_lines,
    ".json": parse_json_lines,
    ".csv": parse_csv,
    ".tsv": parse_csv,
    ".txt": parse_plain_text,
}


def data_files(path: str | None) -> list[pathlib.Path]:
    """The file, or the files of the folder and its subfolders that have a parser, sorted.

    Raises:
      TaskError: If there is none.
    """
    if path is None:
        raise TaskError("text: say where your text lies, with task.path (a file or a folder)")
    root = pathlib.Path(path)
    if not root.exists():
        raise TaskError(f"text: there is nothing at {path}")
    if root.is_file():
        if root.suffix not in PARSERS:
            raise TaskError(f"text: cannot read {path}; a file ends in {', '.join(PARSERS)}")
        return [root]
    files = sorted(each for each in root.rglob("*") if each.suffix in PARSERS and each.is_file())
    if not files:
        raise TaskError(f"text: no file in {path} ends in {', '.join(PARSERS)}")
    return files
