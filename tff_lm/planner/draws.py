"""What a client trains under partial training, over all draws that its policy can make.

The expectation and the largest value of anything that adds up over the trained variables (bits,
parameters) are exact: no draw is sampled.
"""

from __future__ import annotations

import abc
import collections
import dataclasses
import functools
import math

import numpy as np

from tff_lm.learning.partial import (
    Candidates,
    PartialOptions,
    build_client_model,
    find_candidates,
    trained_mask,
)
from tff_lm.learning.weights import Partition, full_partition
from tff_lm.models.protocol import ModelFn

_SAME_FOR_ALL_SEEDS = (0, 0)


class Draws(abc.ABC):
    """The sets of variables that a client may train in a round; amounts are int64[V]."""

    @abc.abstractmethod
    def mean(self, amounts: np.ndarray) -> float:
        """The expected sum of `amounts` over the trained variables."""

    @abc.abstractmethod
    def worst(self, amounts: np.ndarray) -> int:
        """The largest such sum."""


@dataclasses.dataclass(frozen=True)
class Masks(Draws):
    """Few sets, equally likely: `masks` bool[N, V]."""

    masks: np.ndarray

    def mean(self, amounts: np.ndarray) -> float:
        return float(np.mean(self.masks @ amounts))

    def worst(self, amounts: np.ndarray) -> int:
        return int(np.max(self.masks @ amounts))


@dataclasses.dataclass(frozen=True)
class RandomOrder(Draws):
    """The first variables of a random order that fill a budget (`partial.select`).

    Candidates of one size are alike, so orders are counted by how many of each size come first.

    Attributes:
      always: indices of the variables that every client trains.
      classes: for each size, indices of the candidates that have it.
      probabilities: float64[C], that a given candidate of a class is chosen.
      compositions: int64[F, C], how many of each class can be chosen together.
    """

    always: tuple[int, ...]
    classes: tuple[tuple[int, ...], ...]
    probabilities: np.ndarray
    compositions: np.ndarray

    def mean(self, amounts: np.ndarray) -> float:
        sums = np.array([amounts[list(members)].sum() for members in self.classes])
        return float(amounts[list(self.always)].sum() + self.probabilities @ sums)

    def worst(self, amounts: np.ndarray) -> int:
        total = np.full(len(self.compositions), amounts[list(self.always)].sum())
        for members, chosen in zip(self.classes, self.compositions.T, strict=True):
            largest = np.sort(amounts[list(members)])[::-1]
            total += np.concatenate([[0], np.cumsum(largest)])[chosen]
        return int(total.max())


def random_order(candidates: Candidates) -> RandomOrder:
    """All orders of `candidates`, equally likely."""
    by_size = collections.defaultdict(list)
    for index, size in zip(candidates.indices, candidates.sizes, strict=True):
        by_size[size].append(index)
    sizes, classes = np.array(list(by_size)), tuple(map(tuple, by_size.values()))
    counts = np.array([len(members) for members in classes])
    # Every way to have some candidates before another one: int64[S, C].
    before = np.indices(counts + 1).reshape(len(counts), -1).T
    probabilities, compositions = [], [np.zeros([1, len(counts)], np.int64)]
    for own, size in enumerate(sizes):
        # `partial.select`: a candidate is chosen if its middle lies within the budget. Then so does
        # the middle of each one before it.
        chosen = (2 * (before @ sizes) + size < 2 * candidates.budget) & (
            before[:, own] < counts[own]
        )
        one = np.eye(len(counts), dtype=np.int64)[own]
        probabilities.append(_chance(before[chosen], counts - one))
        compositions.append(before[chosen] + one)
    return RandomOrder(
        always=tuple(i for i in range(candidates.count) if i not in set(candidates.indices)),
        classes=classes,
        probabilities=np.array(probabilities),
        compositions=np.concatenate(compositions),
    )


def _chance(before: np.ndarray, others: np.ndarray) -> float:
    """The probability that those before a candidate in a random order are as a row of `before`.

    Args:
      before: int64[S, C], how many of each class.
      others: int64[C], how many there are besides that candidate.
    """
    count = int(others.sum())
    return sum(
        math.prod(math.comb(n, k) for n, k in zip(others.tolist(), row, strict=True))
        / math.comb(count, sum(row))
        / (count + 1)
        for row in before.tolist()
    )


@functools.lru_cache(maxsize=1)
def partition_of(model_fn: ModelFn) -> Partition:
    """All variables of the model, which takes a second to make."""
    return full_partition(model_fn)


def draws(model_fn: ModelFn, options: PartialOptions, seed: int = 0) -> Draws:
    """What the clients of a run train.

    Args:
      model_fn: makes the model.
      options: the policy and its fraction.
      seed: of the run; it decides which variables "fixed" trains.

    Raises:
      ValueError: if the options do not fit the model.
    """
    partition = partition_of(model_fn)
    if options.policy == "full":
        return Masks(np.ones([1, len(partition.names)], bool))
    if options.policy in ("per_round", "per_client_per_round"):
        return random_order(find_candidates(partition, options))
    client_model = build_client_model(model_fn, (), options, seed)
    rounds = 1
    if options.policy == "rolling":  # after as many rounds as there are candidates it repeats
        rounds = len(find_candidates(partition, options).indices)
    return Masks(
        np.stack([trained_mask(client_model, each, _SAME_FOR_ALL_SEEDS) for each in range(rounds)])
    )
