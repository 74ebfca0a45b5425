"""A split's sentences as one stream of shuffled batches: central training on a task's text."""

import functools
import itertools
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tasks import client_store
from tasks.client_store import TOKENS
from tasks.shuffling import BlockShuffle

# x and y, int32[B, T], padded with 0 on the right, as in `tasks.batching` but without the seed.
Batch = Mapping[str, np.ndarray]


class BatchStream:
    """The batches of a split by number; memory holds one block of sentences."""

    def __init__(self, data_path: str, split: str, shuffle: BlockShuffle, max_length: int):
        """Opens nothing yet.

        Args:
          data_path: SQLite file of clients.
          split: Whose text.
          shuffle: The order; its clients are those of the split.
          max_length: A sentence contributes at most this many tokens to `x`.
        """
        self._data_path, self._split = data_path, split
        self._shuffle, self._max_length = shuffle, max_length

    def batch(self, number: int) -> Batch:
        """Batch `number`, counted from 0 over all passes; x, y int32[B, T], padded with 0."""
        place = self._shuffle.place(number)
        tokens, starts, ends = self._block(place.pass_index, place.block)
        chosen = self._shuffle.sentences(place)
        lengths = np.minimum(ends[chosen] - starts[chosen] - 1, self._max_length)
        columns = np.arange(lengths.max())
        real = columns < lengths[:, np.newaxis]
        # The padding reads any token, and is then set to 0.
        at = np.minimum(starts[chosen][:, np.newaxis] + columns, len(tokens) - 2)
        return {"x": np.where(real, tokens[at], 0), "y": np.where(real, tokens[at + 1], 0)}

    @functools.lru_cache(maxsize=1)  # noqa: B019 (lives as long as the run does)
    def _block(self, pass_index: int, block: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A block's sentences: all tokens int32[n], and where each begins and ends, int64[k]."""
        clients = self._shuffle.blocks(pass_index)[block]
        rows = client_store.read(self._data_path, self._split, clients)
        feature = tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64)
        tokens = tf.io.parse_example(list(itertools.chain.from_iterable(rows)), {TOKENS: feature})
        splits = tokens[TOKENS].row_splits.numpy()
        return tokens[TOKENS].values.numpy().astype(np.int32), splits[:-1], splits[1:]
