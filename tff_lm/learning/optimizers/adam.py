"""Adam."""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from tff_lm.learning.optimizers.optimizer import Optimizer, Update
from tff_lm.learning.registry import OPTIMIZERS


@OPTIMIZERS.register("adam")
@dataclasses.dataclass(frozen=True)
class Adam(Optimizer):
    """Kingma and Ba 2015, with TFF's bias correction (Reddi et al. 2021, Algorithm 2, has none)."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def slots(self, name: str, shape: Sequence[int]) -> tuple[float, ...]:
        del name, shape
        return (0.0, 0.0)

    def apply(self, update: Update) -> None:
        step = tf.cast(update.step, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=update.variable.handle,
            m=update.slots[0].handle,
            v=update.slots[1].handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=update.learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=update.gradient,
            use_locking=False,
        )
