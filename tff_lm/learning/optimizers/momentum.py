"""Gradient descent with heavy-ball momentum."""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from tff_lm.learning.optimizers.optimizer import Optimizer, Update
from tff_lm.learning.registry import OPTIMIZERS


@OPTIMIZERS.register("momentum")
@dataclasses.dataclass(frozen=True)
class Momentum(Optimizer):
    """a = momentum * a + g; w -= lr * a, or, with Nesterov's look-ahead, lr * (momentum * a + g).

    The latter at the server is FedNAG's and DiLoCo's outer step (Douillard et al. 2023, arXiv
    2311.08105, section 2).
    """

    momentum: float = 0.9
    nesterov: bool = False

    def slots(self, name: str, shape: Sequence[int]) -> tuple[float, ...]:
        del name, shape
        return (0.0,)

    def apply(self, update: Update) -> None:
        tf.raw_ops.ResourceApplyMomentum(
            var=update.variable.handle,
            accum=update.slots[0].handle,
            lr=update.learning_rate,
            grad=update.gradient,
            momentum=self.momentum,
            use_locking=False,
            use_nesterov=self.nesterov,
        )
