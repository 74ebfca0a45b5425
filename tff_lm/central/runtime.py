"""Central training in the place of a federated runtime: a round is a number of steps.

So the whole training program (progress, records, checkpoints, resuming, Ctrl-C, summary) is one for
both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tff_lm.central.batch_parts import Batch
from tff_lm.central.trainer import CentralTrainer
from tff_lm.client_order import ClientOrder


class CentralRuntime:
    """Implements `tff_lm.program.contracts.Runtime`; a round's order gives its number alone."""

    def __init__(
        self,
        trainer: CentralTrainer,
        batch: Callable[[int], Batch],
        *,
        steps_per_round: int,
        total_steps: int,
    ):
        """Puts model and text together.

        Args:
          trainer: The model.
          batch: The batch of a step, counted from 0.
          steps_per_round: The steps of a round.
          total_steps: Of all rounds together; the last round is cut to that.
        """
        self._trainer, self._batch = trainer, batch
        self._steps_per_round, self._total_steps = steps_per_round, total_steps

    def initialize(self) -> None:
        """Back to the initial weights."""
        self._trainer.reset()

    def next(self, orders: Sequence[ClientOrder], /) -> Any:
        """Trains the steps of a round.

        Args:
          orders: One, of anybody, the round counted from 1.

        Returns:
          Metrics as a federated round's, of a client that sends nothing.
        """
        number = orders[0].round
        first = (number - 1) * self._steps_per_round
        if first != self._trainer.steps:
            raise ValueError(f"round {number} does not follow step {self._trainer.steps}")
        last = min(first + self._steps_per_round, self._total_steps)
        rows = [self._trainer.train_step(self._batch(step)) for step in range(first, last)]
        row = np.sum(rows, axis=0, dtype=np.float64)
        return {
            "client_work": {"per_client": row[np.newaxis].astype(np.float32)},
            "aggregator": {"upload_bits": 0},
        }

    def state_arrays(self) -> dict[str, np.ndarray]:
        """A copy of the state, by name."""
        return self._trainer.state_arrays()

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Puts a copied state back."""
        self._trainer.restore(arrays)
