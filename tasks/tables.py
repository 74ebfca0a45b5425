"""Rows of the user's own files, good and bad, by the files' endings."""

from collections.abc import Callable, Iterator, Mapping

from tasks.corpus import BadRow, CorpusOptions
from tasks.readers.arrow_rows import parse_arrow, parse_parquet
from tasks.readers.csv_rows import parse_csv
from tasks.readers.data_files import DataFile
from tasks.readers.json_rows import parse_json
from tasks.readers.rows import Row, is_empty
from tasks.readers.sqlite_rows import parse_sqlite
from tasks.readers.text_files import is_utf8, numbered_lines

Parser = Callable[[DataFile, CorpusOptions], Iterator[Row | BadRow]]


def parse_plain_text(file: DataFile, options: CorpusOptions) -> Iterator[Row | BadRow]:
    """The file of one person, who is named by it: one sentence a line; blank lines are skipped."""
    del options
    person = file.person
    for number, line in numbered_lines(file.path):
        if not is_utf8(line):
            yield BadRow(file.name, number, "not UTF-8")
        elif not is_empty(line):
            yield person, line


PARSERS: Mapping[str, Parser] = {
    ".jsonl": parse_json,
    ".ndjson": parse_json,
    ".json": parse_json,
    ".csv": parse_csv,
    ".tsv": parse_csv,
    ".txt": parse_plain_text,
    ".parquet": parse_parquet,
    ".arrow": parse_arrow,
    ".sqlite": parse_sqlite,
}
