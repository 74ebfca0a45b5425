"""How a client applies an update rule: with state of its own, or with the server's."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from tff_lm.learning import local_variables
from tff_lm.learning.update_rules import UpdateRule


class LocalOptimizer(Protocol):
    """Applies one gradient to one variable, in place."""

    def apply(
        self, index: int, gradient: tf.Tensor, learning_rate: tf.Tensor, step: tf.Tensor
    ) -> None:
        """Updates variable `index`; `step` int32[] counts the client's local steps from 0."""


def create_slots(rule: UpdateRule, variable: tf.Variable) -> list[tf.Variable]:
    """Unassigned slot variables for one variable."""
    return local_variables.create_like([variable] * len(rule.slots), "slot")


class FreshState:
    """Every client starts with new optimizer state and forgets it after the round.

    The state of a variable is made at its first update: a variable that is never trained has none.
    """

    def __init__(self, rule: UpdateRule, variables: Sequence[tf.Variable]):
        self._rule = rule
        self._variables = variables
        self._slots = [
            local_variables.create_like([v] * len(rule.slots), "slot") for v in variables
        ]

    def apply(
        self, index: int, gradient: tf.Tensor, learning_rate: tf.Tensor, step: tf.Tensor
    ) -> None:
        variable, slots = self._variables[index], self._slots[index]

        def reset_slots():
            for slot, value in zip(slots, self._rule.slots, strict=True):
                slot.assign(tf.fill(variable.shape, np.float32(value)), read_value=False)

        if slots:
            tf.cond(tf.equal(step, 0), reset_slots, lambda: None)
        self._rule.apply(variable, slots, gradient, learning_rate, step + 1)


class FixedState:
    """Every local step uses the server's optimizer state and changes nothing in it (Mime).

    Assigning a slot anew before each step shares the given tensor's memory; the rule's own change
    of it is forgotten.
    """

    def __init__(self, rule: UpdateRule, variables: Sequence[tf.Variable]):
        self._rule = rule
        self._variables = variables
        self._slots = [create_slots(rule, variable) for variable in variables]
        self._values: Sequence[Sequence[tf.Tensor]] = ()
        self._steps: tf.Tensor = ()

    def bind(self, slots: Sequence[Sequence[tf.Tensor]], steps: tf.Tensor) -> None:
        """Sets the server's state: slots by variable, and int32[n] steps done with them."""
        self._values, self._steps = slots, steps

    def apply(
        self, index: int, gradient: tf.Tensor, learning_rate: tf.Tensor, step: tf.Tensor
    ) -> None:
        del step
        slots = self._slots[index]
        local_variables.assign_all(slots, self._values[index])
        self._rule.apply(
            self._variables[index], slots, gradient, learning_rate, self._steps[index] + 1
        )
