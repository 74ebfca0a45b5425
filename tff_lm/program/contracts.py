"""What the training program needs from the rest of the project, and nothing of how it is made."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import ml_collections
import numpy as np

from compression.ledger import CommunicationLedger
from tff_lm.client_order import ClientOrder


class Runtime(Protocol):
    """Holds the server state and computes rounds on it (`tff_lm.runtime.rounds.resident`)."""

    def initialize(self) -> None:
        """Makes the state of a run that has not begun."""

    def next(self, orders: Sequence[ClientOrder], /) -> Any:
        """One round on the clients of `orders`; returns the process' four metrics."""

    def state_arrays(self) -> dict[str, np.ndarray]:
        """A copy of the state, by name."""

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Puts a copied state back."""


@dataclasses.dataclass(frozen=True)
class Clients:
    """The ids of the people whose text is in each split."""

    train: Sequence[str]
    validation: Sequence[str]
    test: Sequence[str]
    unseen: Sequence[str] = ()


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """A way to measure the model as it stands, under a name (`tff_lm.evaluations`).

    Attributes:
      name: in `evaluation.names`, such as "validation" or "adapted".
      measures: the names of what it measures, its own first: "adapted", "adapted_before". Columns,
        TensorBoard's groups and summary.json have their figures by these.
      split: whose fixed sample it is about while a run goes on.
      final_split: whose text it is about at the end.
      division: how a client's sentences are divided, in words.
      rows: (split, orders) -> for each of `measures` float32[clients, K], a row for every client.
    """

    name: str
    measures: tuple[str, ...]
    split: str
    final_split: str
    division: str
    rows: Callable[[str, Sequence[ClientOrder]], Sequence[np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A configured experiment, ready to run.

    Attributes:
      config: the validated configuration.
      clients: ids by split.
      runtime: where rounds are computed.
      begin: brings the runtime to the state before round 1 (`tff_lm.warm_start.start.beginning`).
      longest_first: a cohort -> the same clients, those with the most text first.
      evaluations: what is measured, "validation" first.
      summarise: rows of metrics -> figures (`tff_lm.learning.metrics.summarise`).
      passes: how many calls of `runtime.next`, all on one cohort, make a round (Mime: two).
      ledger: the bytes of the run.
      unigram: computes the baseline's figures on the test clients.
      vocabulary_hash: of the vocabulary that the model's rows stand for.
      data_hash: of all sentences that are trained and tested on.
      weight_leaves: the name of each model weight -> the name of its array in the state, as it is
        evaluated (`algorithm.averaging`).
      facts: what summary.json says of the experiment itself: parameters, precision, versions...,
        and as "data", of its text (`tasks.report.figures`).
    """

    config: ml_collections.ConfigDict
    clients: Clients
    runtime: Runtime
    begin: Callable[[], None]
    longest_first: Callable[[Sequence[str]], Sequence[str]]
    evaluations: Sequence[Evaluation]
    summarise: Callable[[np.ndarray], Mapping[str, float]]
    passes: int
    ledger: CommunicationLedger
    unigram: Callable[[], Mapping[str, float]]
    vocabulary_hash: str
    data_hash: str
    weight_leaves: Mapping[str, str]
    facts: Mapping[str, Any]
