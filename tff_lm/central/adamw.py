"""AdamW on a model's variables, in place, with a norm clip and a schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from tff_lm.central.options import PretrainOptions
from tff_lm.learning.optimizers.adam import Adam
from tff_lm.learning.optimizers.optimizer import Update
from tff_lm.learning.options import ScheduleOptions
from tff_lm.learning.schedules import build_schedule

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


class AdamW:
    """The optimizer of one list of variables, with its state.

    Loshchilov and Hutter 2019 (arXiv 1711.05101), Algorithm 2. Matrices alone decay, by
    `weight_decay` times the learning rate; norms and biases do not.
    """

    def __init__(self, variables: Sequence[tf.Variable], options: PretrainOptions, steps: int):
        """Begins at zero.

        Args:
          variables: That are trained.
          options: Rate, schedule, decay and clip of a training.
          steps: How many it takes in all.
        """
        self._variables = list(variables)
        self._options = options
        self._adam = Adam(BETA_1, BETA_2, EPSILON)
        self._schedule = build_schedule(_schedule(options, steps))
        self._slots = [
            [tf.Variable(tf.zeros(v.shape), trainable=False) for v in variables] for _ in range(2)
        ]

    def apply(self, gradients: Sequence[tf.Tensor], step: tf.Tensor) -> None:
        """Updates the variables; call it inside a `tf.function`.

        Args:
          gradients: One for each variable, of its shape.
          step: int32[], the updates done before.
        """
        options = self._options
        if options.clip_norm:
            gradients, _ = tf.clip_by_global_norm(list(gradients), options.clip_norm)
        rate = options.learning_rate * self._schedule(step)
        slots = list(zip(*self._slots, strict=True))
        for variable, state, gradient in zip(self._variables, slots, gradients, strict=True):
            if options.weight_decay and len(variable.shape) > 1:
                variable.assign_sub(rate * options.weight_decay * variable, read_value=False)
            self._adam.apply(Update(variable.name, variable, state, gradient, rate, step + 1))

    def state(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Copies of the state by "slot number/name of the variable"."""
        return {
            f"{number}/{name}": slot.numpy()
            for number, slots in enumerate(self._slots)
            for name, slot in zip(names, slots, strict=True)
        }

    def restore(self, names: Sequence[str], state: Mapping[str, np.ndarray]) -> None:
        """Puts back what `state` gave."""
        for number, slots in enumerate(self._slots):
            for name, slot in zip(names, slots, strict=True):
                slot.assign(state[f"{number}/{name}"])

    def reset(self) -> None:
        """Back to the state before the first step."""
        for slots in self._slots:
            for slot in slots:
                slot.assign(tf.zeros(slot.shape))


def _schedule(options: PretrainOptions, steps: int) -> ScheduleOptions:
    """The factor on the learning rate by step: up to 1, then down until the last step."""
    warmup = min(options.warmup, steps)
    return ScheduleOptions(
        name=options.decay,
        warmup=warmup,
        decay=max(steps - warmup, 1),
        final_factor=options.final_factor,
    )
