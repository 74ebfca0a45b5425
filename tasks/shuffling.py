"""The order of a corpus larger than memory: which sentences make up which batch, without a state.

In every pass the clients are dealt anew into blocks of some ten thousand sentences; a block is read
whole, its sentences are shuffled together and cut into batches. What batch number k holds is a
function of (the clients' sizes, seed, k) alone, so a resumed training reads on where it stood.
"""

import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from tasks.errors import TaskError

# Keeps the draws of one seed apart.
_CLIENT_ORDER, _SENTENCE_ORDER = 0, 1


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a batch lies: in the block `block` of pass `pass_index`, `batch` batches into it."""

    pass_index: int
    block: int
    batch: int


class BlockShuffle:
    """Deals clients into blocks and blocks into batches, pass after pass, endlessly."""

    def __init__(self, sizes: Mapping[str, int], *, batch_size: int, block_size: int, seed: int):
        """Creates the order.

        Args:
          sizes: The number of sentences of each client.
          batch_size: Sentences in a batch; the last one of a block may have fewer.
          block_size: A block is full once it has this many sentences.
          seed: Of everything random.

        Raises:
          TaskError: If there is no sentence.
        """
        self._sizes = {client: size for client, size in sorted(sizes.items()) if size}
        if not self._sizes:
            raise TaskError("there is no sentence to train on")
        self._batch_size, self._block_size, self._seed = batch_size, block_size, seed

    @functools.lru_cache(maxsize=4)  # noqa: B019 (lives as long as the run does)
    def blocks(self, pass_index: int) -> Sequence[Sequence[str]]:
        """The clients of each block of a pass."""
        clients = list(self._sizes)
        blocks: list[list[str]] = [[]]
        filled = 0
        for index in self._permutation(len(clients), _CLIENT_ORDER, pass_index):
            if filled >= self._block_size:
                blocks.append([])
                filled = 0
            blocks[-1].append(clients[index])
            filled += self._sizes[clients[index]]
        return blocks

    def batches_of_pass(self, pass_index: int) -> int:
        """How many batches a pass has; passes differ by a few, where their blocks end."""
        return sum(self._batch_counts(pass_index))

    def place(self, number: int) -> Place:
        """Where batch `number`, counted from 0 over all passes, lies."""
        for pass_index in itertools.count():
            for block, count in enumerate(self._batch_counts(pass_index)):
                if number < count:
                    return Place(pass_index, block, number)
                number -= count
        raise AssertionError("unreachable")

    def sentences(self, place: Place) -> np.ndarray:
        """int64[n]: a batch's sentences, as indices into those of its block."""
        order = self._sentence_order(place.pass_index, place.block)
        return order[place.batch * self._batch_size :][: self._batch_size]

    @functools.lru_cache(maxsize=1)  # noqa: B019
    def _sentence_order(self, pass_index: int, block: int) -> np.ndarray:
        count = self._block_sentences(pass_index, block)
        return self._permutation(count, _SENTENCE_ORDER, pass_index, block)

    def _block_sentences(self, pass_index: int, block: int) -> int:
        return sum(self._sizes[client] for client in self.blocks(pass_index)[block])

    @functools.lru_cache(maxsize=64)  # noqa: B019
    def _batch_counts(self, pass_index: int) -> Sequence[int]:
        return [
            -(-self._block_sentences(pass_index, block) // self._batch_size)
            for block in range(len(self.blocks(pass_index)))
        ]

    def _permutation(self, count: int, *entropy: int) -> np.ndarray:
        # Sorting random keys depends on the bit stream alone, which NumPy keeps between versions.
        keys = np.random.Philox(np.random.SeedSequence((self._seed, *entropy))).random_raw(count)
        return np.argsort(keys, kind="stable")
