"""Yogi: Adam whose second moment moves additively."""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from tff_lm.learning.optimizers.optimizer import Optimizer, Update, bias_corrected
from tff_lm.learning.registry import OPTIMIZERS


@OPTIMIZERS.register("yogi")
@dataclasses.dataclass(frozen=True)
class Yogi(Optimizer):
    """Zaheer et al. 2018: the second moment moves additively; bias correction as in TFF."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-3
    initial_accumulator: float = 1e-6

    def slots(self, name: str, shape: Sequence[int]) -> tuple[float, ...]:
        del name, shape
        return (0.0, self.initial_accumulator)

    def apply(self, update: Update) -> None:
        first, second = update.slots
        square = tf.square(update.gradient)
        moment = first + (update.gradient - first) * (1.0 - self.beta_1)
        scale = second + (1.0 - self.beta_2) * tf.sign(square - second) * square
        rate = bias_corrected(update.learning_rate, self.beta_1, self.beta_2, update.step)
        step = rate * moment / (tf.sqrt(scale) + self.epsilon)
        update.variable.assign_sub(step, read_value=False)
        first.assign(moment, read_value=False)
        second.assign(scale, read_value=False)
