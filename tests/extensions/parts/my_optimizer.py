"""A server optimizer from outside: steps of one size, by sign, with momentum for matrices."""

import dataclasses

import tensorflow as tf

from tff_lm.learning.optimizers.optimizer import Optimizer
from tff_lm.learning.registry import OPTIMIZERS


@OPTIMIZERS.register("sign_momentum")
@dataclasses.dataclass(frozen=True)
class SignMomentum(Optimizer):
    """m = beta m + g; w -= rate sign(m); for vectors m = g."""

    beta: float = 0.5

    def slots(self, name, shape):
        return (0.0,) if len(shape) > 1 else ()

    def apply(self, update):
        moment = update.gradient
        for slot in update.slots:
            moment = self.beta * slot + update.gradient
            slot.assign(moment, read_value=False)
        update.variable.assign_sub(update.learning_rate * tf.sign(moment), read_value=False)
