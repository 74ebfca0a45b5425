"""The jobs that the benchmarks measure: whose text, and how it is batched."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tasks import batching
from tasks.batching import BatchSpec
from tasks.options import TaskOptions
from tasks.task import Task, make_task
from tff_lm.client_order import ClientOrder

LEARNING_RATE = 0.1
MAX_LENGTH = 30

JOBS = {
    # What this project does by default: batches of sentences of like length, drawn anew each round.
    "chat": BatchSpec(batch_size=16, max_length=MAX_LENGTH, examples_per_client=160),
    # What other simulators were measured on: the first 160 messages, in batches of 16 in order.
    "peers": BatchSpec(
        batch_size=16,
        max_length=MAX_LENGTH,
        examples_per_client=160,
        shuffle=False,
        bucket=False,
        extra_batches=0,
    ),
}


def _longest_first(task: Task, clients: list[str], examples: int) -> tuple[str, ...]:
    """As the training program orders a cohort; here a client may be in it several times."""
    rank = {c: i for i, c in enumerate(task.longest_first("train", sorted(set(clients)), examples))}
    return tuple(sorted(clients, key=rank.__getitem__))


@dataclasses.dataclass(frozen=True)
class Job:
    """A cohort and its batches.

    Attributes:
      task: the chat corpus.
      batches: how a client's sentences become batches.
      clients: the ids of the cohort, the same each round.
    """

    task: Task
    batches: BatchSpec
    clients: tuple[str, ...]

    @classmethod
    def named(cls, name: str, clients: int) -> Job:
        """A job of `JOBS` on clients that have the full number of examples, in a seeded order."""
        task, batches = make_task(TaskOptions("chat")), JOBS[name]
        sizes = task.client_sizes("train")
        full = sorted(c for c, n in sizes.items() if n >= (batches.examples_per_client or 0))
        order = np.random.default_rng(0).permutation(len(full))
        # A cohort larger than there are such clients meets some twice: only its size matters.
        drawn = [full[order[i % len(full)]] for i in range(clients)]
        return cls(task, batches, _longest_first(task, drawn, batches.examples_per_client or 0))

    def first_batch(self) -> Job:
        """One client with one batch: what is left of a round is its fixed cost."""
        one = dataclasses.replace(self.batches, examples_per_client=self.batches.batch_size)
        return dataclasses.replace(self, batches=one, clients=self.clients[:1])

    def orders(self, round_index: int) -> list[ClientOrder]:
        """The clients' orders of a round."""
        return [ClientOrder(0, round_index, client) for client in self.clients]

    def datasets(self, round_index: int) -> list[tf.data.Dataset]:
        """The clients' batches in this process, of a round."""
        dataset_fn = batching.make_dataset_fn(self.task.data_path, "train", self.batches)
        return [dataset_fn(tf.constant(order.encode())) for order in self.orders(round_index)]

    def by_client(self, round_index: int) -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
        """Each client's batches of a round as int32[B, T] inputs and targets."""
        for dataset in self.datasets(round_index):
            yield [(batch["x"], batch["y"]) for batch in dataset.as_numpy_iterator()]

    def arrays(self, round_index: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All batches of a round as int32[B, T] inputs and targets."""
        return itertools.chain.from_iterable(self.by_client(round_index))

    def tokens(self, round_index: int) -> int:
        """Real target tokens of a round."""
        return sum(int(np.count_nonzero(y)) for _, y in self.arrays(round_index))
