"""A SQLite file of clients in the format of `tff.simulation.datasets.SqlClientData`, written fast.

Each row of `examples` is one sentence, or a window of a long one (`tasks.windows`): a
`tf.train.Example` whose feature `tokens` is an int64 list ([BOS], the pieces, [EOS] at the end).
Rows are stored, and read by rowid, in the client's own order. Reading ids needs no TensorFlow.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from tasks.errors import TaskError

TOKENS = "tokens"

# As `save_to_sql_client_data` writes it; the index, which it lacks, finds a client without a full
# scan.
_CREATE_TABLES = (
    """CREATE TABLE examples (
       split_name TEXT NOT NULL,
       client_id TEXT NOT NULL,
       serialized_example_proto BLOB NOT NULL);""",
    """CREATE TABLE client_metadata (
       client_id TEXT NOT NULL,
       split_name TEXT NOT NULL,
       num_examples INTEGER NOT NULL);""",
)
_CREATE_INDICES = (
    "CREATE INDEX examples_by_client ON examples (client_id, split_name);",
    "CREATE UNIQUE INDEX metadata_by_client ON client_metadata (split_name, client_id);",
)
_INSERT_EXAMPLE = "INSERT INTO examples VALUES (?, ?, ?);"
_INSERT_CLIENT = "INSERT INTO client_metadata VALUES (?, ?, ?);"

# Split, client id, and each sentence's ids.
ClientRows = tuple[str, str, Sequence[Sequence[int]]]


def write(path: str, clients: Iterable[ClientRows]) -> None:
    """Writes a new file in one transaction.

    Args:
      path: Path of the file, which must not exist.
      clients: Consumed once, a client at a time, so a corpus need not fit into memory.

    Raises:
      TaskError: If an id is empty, holds a NUL, or occurs twice in a split.
    """
    import tensorflow as tf

    def serialize(tokens: Sequence[int]) -> bytes:
        example = tf.train.Example()
        example.features.feature[TOKENS].int64_list.value.extend(tokens)
        return example.SerializeToString()

    with contextlib.closing(sqlite3.connect(path)) as connection:
        # The file is renamed into place once it is whole: a journal would protect nothing.
        connection.execute("PRAGMA journal_mode = OFF;")
        connection.execute("PRAGMA synchronous = OFF;")
        for statement in _CREATE_TABLES:
            connection.execute(statement)
        for split, client_id, sentences in clients:
            _check_client_id(client_id)
            connection.executemany(
                _INSERT_EXAMPLE, ((split, client_id, serialize(tokens)) for tokens in sentences)
            )
            connection.execute(_INSERT_CLIENT, (client_id, split, len(sentences)))
        try:
            for statement in _CREATE_INDICES:
                connection.execute(statement)
        except sqlite3.IntegrityError as error:
            raise TaskError(f"a client occurs twice in a split ({error})") from error
        connection.commit()


def _check_client_id(client_id: str) -> None:
    if not client_id or "\0" in client_id:
        raise TaskError(f"a client's id is a non-empty text without NUL, not {client_id!r}")


@contextlib.contextmanager
def _reading(path: str) -> Iterator[sqlite3.Connection]:
    """An open connection that never writes; a file that is not SQLite's is a `TaskError`."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            yield connection
    except sqlite3.DatabaseError as error:
        raise TaskError(f"cannot read the clients in {path}: {error}") from error


def client_sizes(path: str, split: str) -> dict[str, int]:
    """Number of examples of each client of a split, in the order of the ids."""
    query = (
        "SELECT client_id, num_examples FROM client_metadata "
        "WHERE split_name = ? ORDER BY client_id"
    )
    with _reading(path) as connection:
        return dict(connection.execute(query, (split,)))


def client_bytes(path: str, split: str, client_ids: Iterable[str]) -> dict[str, int]:
    """Size of all stored examples of each of the clients: a cheap measure of how long they are."""
    query = (
        "SELECT TOTAL(LENGTH(serialized_example_proto)) FROM examples "
        "WHERE client_id = ? AND split_name = ?"
    )
    with _reading(path) as connection:
        return {
            client_id: int(connection.execute(query, (client_id, split)).fetchone()[0])
            for client_id in client_ids
        }


def all_examples(path: str, split: str, at_once: int = 65_536) -> Iterator[list[bytes]]:
    """The serialized examples of all clients of a split, in no order, so many at a time."""
    query = "SELECT serialized_example_proto FROM examples WHERE split_name = ?"
    with _reading(path) as connection:
        cursor = connection.execute(query, (split,))
        while rows := cursor.fetchmany(at_once):
            yield [row[0] for row in rows]


def read(path: str, split: str, client_ids: Iterable[str]) -> Iterator[list[bytes]]:
    """The serialized examples of each of the clients, in the client's own order."""
    query = (
        "SELECT serialized_example_proto FROM examples "
        "WHERE client_id = ? AND split_name = ? ORDER BY rowid"
    )
    with _reading(path) as connection:
        for client_id in client_ids:
            yield [row[0] for row in connection.execute(query, (client_id, split))]
