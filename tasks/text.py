"""`text`: bring your own: a table (CSV, JSON, Parquet, ...), or a folder of those or of texts."""

import hashlib
from collections.abc import Iterator

from tasks.corpus import BadRow, Corpus, CorpusOptions, Reading, hash_file
from tasks.errors import TaskError
from tasks.grouping import read_rows
from tasks.readers.data_files import find_files
from tasks.readers.rows import Row
from tasks.registry import CORPORA
from tasks.tables import PARSERS


def _fingerprint(options: CorpusOptions) -> str:
    """Hash of the files' names, below the folder given, and contents."""
    files, left_out = find_files("text", options.path, PARSERS)
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name!r} {hash_file(str(file.path))}\n".encode())
    for row in left_out:
        digest.update(f"{row}\n".encode())
    return digest.hexdigest()


def _read(options: CorpusOptions) -> Reading:
    files, left_out = find_files("text", options.path, PARSERS)

    def rows() -> Iterator[Row | BadRow]:
        yield from left_out
        for file in files:
            yield from PARSERS[file.kind](file, options)

    reading = read_rows(rows(), options)
    if not any(reading.clients.values()) and not any(reading.dropped.values()):
        bad = reading.bad_rows
        first = f"; the first of {len(bad)} bad rows is {bad[0]}" if bad else ""
        raise TaskError(f"text: no usable row in {options.path}{first}")
    return reading


CORPUS = CORPORA.register("text")(Corpus(fingerprint=_fingerprint, read=_read))
