"""The server's model and the state of an optimizer, within the server's graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tff_lm.learning import local_variables
from tff_lm.learning.optimizers.optimizer import Optimizer, Update
from tff_lm.learning.weights import VariableSpec

Slots = tuple[tuple[tf.Tensor, ...], ...]


def initial_slots(optimizer: Optimizer, variables: Sequence[VariableSpec]) -> Slots:
    """One tuple of slots per variable: tensors full of the slot's initial value."""
    return tuple(
        tuple(tf.fill(v.shape, np.float32(value)) for value in optimizer.slots(v.name, v.shape))
        for v in variables
    )


def accepted_weights(
    update: Sequence[tf.Tensor], weights: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The weights of an update that is finite where somebody trained; zeros if it is not.

    Args:
      update: One tensor per variable.
      weights: float32[n], what it is a mean over; 0 for a variable that nobody trained.

    Returns:
      float32[n], and float32[], the squared l2 norm of what was trained, finite or not.
    """
    squares = tf.stack([2.0 * tf.nn.l2_loss(delta) for delta in update])
    square = tf.reduce_sum(tf.where(weights > 0.0, squares, 0.0))
    return tf.where(tf.math.is_finite(square), weights, tf.zeros_like(weights)), square


class Server:
    """Variables under an optimizer, changed in place; make it inside a `tf.function`."""

    def __init__(
        self,
        optimizer: Optimizer,
        names: Sequence[str],
        values: Sequence[tf.Tensor],
        slots: Sequence[Sequence[tf.Tensor]],
        *,
        learning_rate: tf.Tensor,
        steps: tf.Tensor,
    ):
        """Takes the state.

        Args:
          optimizer: Steps the variables.
          names: Of the n variables.
          values: Theirs.
          slots: The optimizer's state of each.
          learning_rate: float32[], of this round.
          steps: int32[n], how often each variable was changed before.
        """
        self._optimizer, self._names = optimizer, names
        self.learning_rate, self._steps = learning_rate, steps
        self.variables = local_variables.create_like(values, "weight")
        self._slots = [local_variables.create_like(each, "slot") for each in slots]
        local_variables.assign_all(self.variables, values)
        for slot, each in zip(self._slots, slots, strict=True):
            local_variables.assign_all(slot, each)

    def optimize(self, update: Sequence[tf.Tensor], weights: tf.Tensor) -> tf.Tensor:
        """Steps every variable that somebody trained, in place.

        Args:
          update: One tensor per variable, in place of a gradient.
          weights: float32[n], of those who trained it; a variable of weight 0 keeps its value, its
            moments do not decay, and its count of steps stands still.

        Returns:
          int32[n], 1 where the variable was changed.
        """
        touched = []
        for i, (variable, slots, delta) in enumerate(
            zip(self.variables, self._slots, update, strict=True)
        ):

            def step(i=i, variable=variable, slots=slots, delta=delta):
                name, count = self._names[i], self._steps[i] + 1
                self._optimizer.apply(
                    Update(name, variable, slots, delta, self.learning_rate, count)
                )
                return 1

            touched.append(tf.cond(weights[i] > 0.0, step, lambda: 0))
        return tf.stack(touched) if touched else tf.zeros([0], tf.int32)

    def values(self) -> tuple[tf.Tensor, ...]:
        """The variables' present values."""
        return tuple(variable.read_value() for variable in self.variables)

    def slot_values(self) -> Slots:
        """The optimizer's present state."""
        return tuple(tuple(slot.read_value() for slot in slots) for slots in self._slots)
