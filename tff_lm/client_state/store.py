"""The states of clients by client and round, in SQLite: in memory for few, in a file for many.

A state is kept under the round in which it came to be, and earlier ones stay for as long as a
resumed or replayed run may need them. So a round that is computed again reads what it read the
first time, and a run that goes on from a checkpoint forgets what came after it.
"""

from __future__ import annotations

import math
import pathlib
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

# The field in which a client leaves its state in what it sends, by which a runtime finds it.
CLIENT_STATE = "client_state"

_TABLE = (
    "CREATE TABLE IF NOT EXISTS states "
    "(client TEXT, round INTEGER, state BLOB, PRIMARY KEY (client, round)) WITHOUT ROWID"
)
# What a client has at a round: the newest state of the rounds before it.
_NEWEST = "SELECT state FROM states WHERE client = ? AND round < ? ORDER BY round DESC LIMIT 1"
# All but the newest state of each client up to a round.
_SUPERSEDED = (
    "DELETE FROM states WHERE round < (SELECT MAX(newer.round) FROM states AS newer "
    "WHERE newer.client = states.client AND newer.round <= ?)"
)


class Leaf(NamedTuple):
    """One array of a state: its name, dtype and shape."""

    name: str
    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


class ClientStateStore:
    """States, each a dictionary of arrays of the same `leaves`. Safe to use from any thread."""

    def __init__(self, leaves: Sequence[Leaf], path: pathlib.Path | None = None):
        """Opens the store.

        Args:
          leaves: Of every state.
          path: Its file, made if it is not there; None keeps all in memory.
        """
        self._leaves, self._path = list(leaves), path
        self._lock = threading.Lock()
        self._connection = self._opened()

    def _opened(self) -> sqlite3.Connection:
        name = ":memory:" if self._path is None else str(self._path)
        connection = sqlite3.connect(name, check_same_thread=False, isolation_level="DEFERRED")
        if self._path is not None:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(_TABLE)
        connection.commit()
        return connection

    @property
    def in_memory(self) -> bool:
        """Whether nothing is on disk."""
        return self._path is None

    def get(self, client: str, before: int) -> dict[str, np.ndarray] | None:
        """What `client` kept last in a round before `before`; None if it kept nothing yet."""
        with self._lock:
            row = self._connection.execute(_NEWEST, (client, before)).fetchone()
        return None if row is None else self._unpacked(row[0])

    def put(self, client: str, round_number: int, state: Mapping[str, np.ndarray]) -> None:
        """Keeps what `client` has after `round_number`; lasting after `commit`."""
        blob = b"".join(
            np.ascontiguousarray(state[leaf.name], leaf.dtype).tobytes() for leaf in self._leaves
        )
        with self._lock:
            self._connection.execute(
                "INSERT OR REPLACE INTO states VALUES (?, ?, ?)", (client, round_number, blob)
            )

    def commit(self) -> None:
        """Makes what was put last."""
        with self._lock:
            self._connection.commit()

    def discard(self) -> None:
        """Forgets what was put since the last `commit`."""
        with self._lock:
            self._connection.rollback()

    def forget_after(self, round_number: int) -> None:
        """Forgets every state that came to be after `round_number`."""
        with self._lock:
            self._connection.execute("DELETE FROM states WHERE round > ?", (round_number,))
            self._connection.commit()

    def forget_superseded(self, round_number: int) -> None:
        """Forgets what no run from `round_number` on will read."""
        with self._lock:
            self._connection.execute(_SUPERSEDED, (round_number,))
            self._connection.commit()

    def dump(self) -> np.ndarray:
        """uint8[n]: all of a store in memory, for `load`."""
        with self._lock:
            return np.frombuffer(self._connection.serialize(), np.uint8)

    def load(self, dumped: np.ndarray) -> None:
        """Replaces all of a store in memory by what `dump` gave."""
        with self._lock:
            self._connection.deserialize(np.asarray(dumped, np.uint8).tobytes())

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()

    def _unpacked(self, blob: bytes) -> dict[str, np.ndarray]:
        arrays, start = {}, 0
        for leaf in self._leaves:
            array = np.frombuffer(blob, leaf.dtype, math.prod(leaf.shape), start)
            arrays[leaf.name] = array.reshape(leaf.shape)
            start += leaf.nbytes
        return arrays
