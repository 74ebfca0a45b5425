"""Rows in any order become users' sentences, on disk: neither file nor corpus need fit into memory.

The disk is a nameless SQLite file in the system's temporary folder (SQLITE_TMPDIR or TMPDIR), which
the system removes with the process, however that ends.
"""

import collections
import contextlib
import itertools
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence

from tasks.corpus import (
    BadRow,
    ClientText,
    CorpusOptions,
    Reading,
    choose_clients,
    normalize_sentences,
)
from tasks.errors import TaskError
from tasks.readers.rows import Row

_CREATE = """
CREATE TABLE sentences (user INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE bad_rows (source TEXT NOT NULL, line INTEGER NOT NULL, reason TEXT NOT NULL);
"""
_CHUNK_ROWS = 10_000


def read_rows(rows: Iterable[Row | BadRow], options: CorpusOptions) -> Reading:
    """Normalizes, caps and splits the texts of people who have no splits of their own.

    Args:
      rows: Consumed once.
      options: The options.

    Returns:
      The reading; each split's clients are in the order of their ids, a client's sentences in that
      of the rows.

    Raises:
      TaskError: If the disk is full.
    """
    with _disk_errors():
        # Without a name, a database lies in a temporary file that is already removed.
        connection = sqlite3.connect("")
        connection.executescript(_CREATE)
        sizes, dropped = _store(connection, iter(rows), options)
        connection.execute("CREATE INDEX sentences_by_user ON sentences (user)")
        connection.commit()
    numbers = {user: number for number, user in enumerate(sizes)}
    clients = {
        split: _Clients(connection, {user: numbers[user] for user in users}, options)
        for split, users in choose_clients(sizes, options, dropped).items()
    }
    return Reading(clients=clients, dropped=dict(dropped), bad_rows=_BadRows(connection))


def _store(
    connection: sqlite3.Connection, rows: Iterator[Row | BadRow], options: CorpusOptions
) -> tuple[dict[str, int], collections.Counter[str]]:
    """Writes everything; the numbers of users are the positions in the sizes returned."""
    sizes: dict[str, int] = {}
    numbers: dict[str, int] = {}
    dropped: collections.Counter[str] = collections.Counter()
    while chunk := list(itertools.islice(rows, _CHUNK_ROWS)):
        sentences: list[tuple[int, str]] = []
        for user, text in (row for row in chunk if not isinstance(row, BadRow)):
            found = normalize_sentences([text], options)
            dropped["nothing_left_when_normalized"] += not found
            number = numbers.setdefault(user, len(numbers))
            sizes[user] = sizes.get(user, 0) + len(found)
            sentences.extend((number, each) for each in found)
        bad = [
            (row.source, row.line, _storable(row.reason))
            for row in chunk
            if isinstance(row, BadRow)
        ]
        connection.executemany("INSERT INTO sentences VALUES (?, ?)", sentences)
        connection.executemany("INSERT INTO bad_rows VALUES (?, ?, ?)", bad)
    return sizes, dropped


def _storable(text: str) -> str:
    """Without lone surrogates, which a message may quote and SQLite refuses."""
    return text.encode(errors="backslashreplace").decode()


@contextlib.contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise TaskError(
            f"text: cannot write a temporary file ({error}); make room, or set TMPDIR to a folder "
            "that has it"
        ) from error


class _Clients(Collection):
    """A split's clients, fetched each time they are iterated."""

    def __init__(
        self, connection: sqlite3.Connection, numbers: dict[str, int], options: CorpusOptions
    ):
        self._connection, self._numbers = connection, numbers
        # SQLite's way to say "no limit".
        self._most = -1 if options.max_examples is None else options.max_examples

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, client: object) -> bool:
        return client in self._numbers

    def __iter__(self) -> Iterator[ClientText]:
        query = "SELECT text FROM sentences WHERE user = ? ORDER BY rowid LIMIT ?"
        for user, number in self._numbers.items():
            found = self._connection.execute(query, (number, self._most))
            yield user, [text for (text,) in found]


class _BadRows(Sequence):
    """Every row that could not be used, in the order of reading."""

    def __init__(self, connection: sqlite3.Connection):
        self._connection = connection
        (self._count,) = connection.execute("SELECT COUNT(*) FROM bad_rows").fetchone()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[BadRow]:
        rows = self._connection.execute("SELECT source, line, reason FROM bad_rows ORDER BY rowid")
        return (BadRow(*row) for row in rows)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return list(self)[index]
        position = range(self._count)[index]
        query = "SELECT source, line, reason FROM bad_rows WHERE rowid = ?"
        return BadRow(*self._connection.execute(query, (position + 1,)).fetchone())
