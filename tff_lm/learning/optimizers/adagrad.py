"""Adagrad."""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from tff_lm.learning.optimizers.optimizer import Optimizer, Update
from tff_lm.learning.registry import OPTIMIZERS


@OPTIMIZERS.register("adagrad")
@dataclasses.dataclass(frozen=True)
class Adagrad(Optimizer):
    """Duchi et al. 2011: s += g^2; w -= lr * g / (sqrt(s) + epsilon).

    TFF puts epsilon under the root; at its default of 1e-7 the two differ by less than float32
    resolves.
    """

    epsilon: float = 1e-7
    initial_accumulator: float = 0.1

    def slots(self, name: str, shape: Sequence[int]) -> tuple[float, ...]:
        del name, shape
        return (self.initial_accumulator,)

    def apply(self, update: Update) -> None:
        tf.raw_ops.ResourceApplyAdagradV2(
            var=update.variable.handle,
            accum=update.slots[0].handle,
            lr=update.learning_rate,
            epsilon=self.epsilon,
            grad=update.gradient,
            use_locking=False,
        )
