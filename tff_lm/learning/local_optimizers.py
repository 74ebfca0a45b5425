"""How a client applies an optimizer: with state of its own, or with the server's."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from tff_lm.learning import local_variables
from tff_lm.learning.optimizers.optimizer import Optimizer, Update


class LocalOptimizer(Protocol):
    """Applies one gradient to one variable, in place."""

    def apply(
        self, index: int, gradient: tf.Tensor, learning_rate: tf.Tensor, step: tf.Tensor
    ) -> None:
        """Updates variable `index`; `step` int32[] counts the client's local steps from 0."""


class FreshState:
    """Every client starts with new optimizer state and forgets it after the round.

    The state of a variable is made at its first update: a variable that is never trained has none.
    """

    def __init__(
        self, optimizer: Optimizer, names: Sequence[str], variables: Sequence[tf.Variable]
    ):
        self._optimizer, self._names, self._variables = optimizer, names, variables
        self._initial = [optimizer.slots(n, v.shape) for n, v in zip(names, variables, strict=True)]
        self._slots = [
            local_variables.create_like([v] * len(values), "slot")
            for v, values in zip(variables, self._initial, strict=True)
        ]

    def apply(
        self, index: int, gradient: tf.Tensor, learning_rate: tf.Tensor, step: tf.Tensor
    ) -> None:
        variable, slots = self._variables[index], self._slots[index]

        def reset_slots():
            for slot, value in zip(slots, self._initial[index], strict=True):
                slot.assign(tf.fill(variable.shape, np.float32(value)), read_value=False)

        if slots:
            tf.cond(tf.equal(step, 0), reset_slots, lambda: None)
        name = self._names[index]
        self._optimizer.apply(Update(name, variable, slots, gradient, learning_rate, step + 1))


class FixedState:
    """Every local step uses the server's optimizer state and changes nothing in it (Mime).

    Assigning a slot anew before each step shares the given tensor's memory; the optimizer's own
    change of it is forgotten.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        names: Sequence[str],
        variables: Sequence[tf.Variable],
        slots: Sequence[Sequence[tf.Tensor]],
        steps: tf.Tensor,
    ):
        """Takes the server's state: slots by variable, and int32[n] steps done with them."""
        self._optimizer, self._names, self._variables = optimizer, names, variables
        self._values, self._steps = slots, steps
        self._slots = [local_variables.create_like(values, "slot") for values in slots]

    def apply(
        self, index: int, gradient: tf.Tensor, learning_rate: tf.Tensor, step: tf.Tensor
    ) -> None:
        del step
        slots = self._slots[index]
        local_variables.assign_all(slots, self._values[index])
        self._optimizer.apply(
            Update(
                self._names[index],
                self._variables[index],
                slots,
                gradient,
                learning_rate,
                self._steps[index] + 1,
            )
        )
