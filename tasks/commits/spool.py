"""Sentences on disk while a corpus is read, so that memory does not grow with it.

A database that SQLite keeps in a file without a name: it ends with the process, however that ends.
Duplicates are found and clients are put together there.
"""

import dataclasses
import hashlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping

from tasks.corpus import ClientText

# From so many words on, a sentence that its author has written before is a template ...
TEMPLATE_WORDS = 5
# ... and one that anybody has written before is a copy.
COPY_WORDS = 8

_MARKS = "\"'()[].,:;!?-"
_ANY_NAME = "0"
_CREATE = """CREATE TABLE sentences (
    client TEXT NOT NULL, part INTEGER NOT NULL, source INTEGER NOT NULL, time INTEGER NOT NULL,
    words INTEGER NOT NULL, shape BLOB NOT NULL, text TEXT NOT NULL);"""
_DELETE_LATER = """DELETE FROM sentences WHERE rowid IN (
    SELECT rowid FROM (
        SELECT rowid, row_number() OVER (PARTITION BY {same} ORDER BY part, time, rowid) AS copy
        FROM sentences WHERE words >= ?)
    WHERE copy > 1);"""


@dataclasses.dataclass(frozen=True)
class Sentence:
    """A sentence that was read.

    Attributes:
      client: The name of its author's client.
      part: 0 for the corpus itself; higher for what is measured on only.
      source: The number of the repository.
      time: When it was written, in seconds since 1970.
      text: Normalized.
    """

    client: str
    part: int
    source: int
    time: int
    text: str


def shape(text: str) -> bytes:
    """What near-duplicates share: the words, without case, numbers, signs and identifiers."""
    bare = (word.strip(_MARKS) for word in text.lower().split())
    words = (word if word.replace("'", "").isalpha() else _ANY_NAME for word in bare if word)
    return hashlib.blake2b(" ".join(words).encode(), digest_size=8).digest()


class Spool:
    """Sentences of clients, written once, then read by client."""

    def __init__(self):
        # Without a name: a temporary file, of which SQLite holds a few megabytes in memory.
        self._connection = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE"):
            self._connection.execute(f"PRAGMA {pragma};")
        self._connection.execute(_CREATE)

    def add(self, sentences: Iterable[Sentence]) -> None:
        """Writes sentences, those of one time in their order."""
        self._connection.execute("BEGIN;")
        self._connection.executemany(
            "INSERT INTO sentences VALUES (?, ?, ?, ?, ?, ?, ?);",
            (
                (*(each.client, each.part, each.source, each.time, len(each.text.split())),)
                + (shape(each.text), each.text)
                for each in sentences
            ),
        )
        self._connection.execute("COMMIT;")

    def drop_later(self, same: str, fewest_words: int) -> int:
        """Leaves out all but the first of near-duplicates; returns how many these are.

        Args:
          same: What they have in common, as columns: "shape", or "client, shape".
          fewest_words: Shorter sentences stay.
        """
        return self._connection.execute(_DELETE_LATER.format(same=same), (fewest_words,)).rowcount

    def drop_clients(self, part: int, clients: Iterable[str]) -> int:
        """Leaves out all sentences of clients of a part; returns how many."""
        self._connection.execute(
            "CREATE INDEX IF NOT EXISTS by_client ON sentences (client, time);"
        )
        return sum(
            self._connection.execute(
                "DELETE FROM sentences WHERE client = ? AND part = ?;", (client, part)
            ).rowcount
            for client in clients
        )

    def sizes(self, part: int) -> Mapping[str, int]:
        """How many sentences each client of a part has."""
        query = "SELECT client, count(*) FROM sentences WHERE part = ? GROUP BY client;"
        return dict(self._connection.execute(query, (part,)))

    def totals(self) -> Mapping[int, tuple[int, int, int]]:
        """For each source its clients, sentences and words."""
        query = (
            "SELECT source, count(DISTINCT client), count(*), total(words) "
            "FROM sentences GROUP BY source;"
        )
        return {row[0]: (row[1], row[2], int(row[3])) for row in self._connection.execute(query)}

    def texts(self, client: str, limit: int | None) -> list[str]:
        """A client's sentences, the oldest first."""
        self._connection.execute(
            "CREATE INDEX IF NOT EXISTS by_client ON sentences (client, time);"
        )
        query = "SELECT text FROM sentences WHERE client = ? ORDER BY time, rowid LIMIT ?;"
        found = self._connection.execute(query, (client, -1 if limit is None else limit))
        return [text for (text,) in found]


class SpooledClients(Collection):
    """Some of a spool's clients, read from it each time they are iterated."""

    def __init__(self, spool: Spool, clients: Collection[str], most_examples: int | None):
        self._spool, self._clients, self._most = spool, clients, most_examples

    def __len__(self) -> int:
        return len(self._clients)

    def __contains__(self, client: object) -> bool:
        return client in self._clients

    def __iter__(self) -> Iterator[ClientText]:
        for client in self._clients:
            yield client, self._spool.texts(client, self._most)
