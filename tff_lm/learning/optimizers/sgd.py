"""Plain gradient descent."""

import dataclasses

import tensorflow as tf

from tff_lm.learning.optimizers.optimizer import Optimizer, Update
from tff_lm.learning.registry import OPTIMIZERS


@OPTIMIZERS.register("sgd")
@dataclasses.dataclass(frozen=True)
class Sgd(Optimizer):
    """w -= lr * g."""

    def apply(self, update: Update) -> None:
        tf.raw_ops.ResourceApplyGradientDescent(
            var=update.variable.handle,
            alpha=update.learning_rate,
            delta=update.gradient,
            use_locking=False,
        )
