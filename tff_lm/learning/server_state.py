"""Optimizer state at the server: one step counter and one set of slots per variable."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.learning.update_rules import UpdateRule


def slot_values(
    rule: UpdateRule, trainable_type: tff.StructType
) -> tuple[tuple[tf.Tensor, ...], ...]:
    """One tuple of slots per variable: tensors full of the slot's initial value."""
    return tuple(
        tuple(tf.fill(t.shape, np.float32(value)) for value in rule.slots) for t in trainable_type
    )


def step_trained(
    rule: UpdateRule,
    variables: Sequence[tf.Variable],
    slots: Sequence[Sequence[tf.Variable]],
    update: Sequence[tf.Tensor],
    learning_rate: tf.Tensor,
    steps: tf.Tensor,
    trained: tf.Tensor,
) -> tf.Tensor:
    """Steps, in place, every variable that somebody trained.

    Args:
      rule: The optimizer.
      variables: The n weights.
      slots: The optimizer's state of each variable.
      update: One tensor per variable, in place of a gradient.
      learning_rate: float32[].
      steps: int32[n], how often each variable was updated before.
      trained: bool[n]; the other variables are left as they are.

    Returns:
      int32[n], 1 where the variable was updated.
    """
    stepped = []
    for i, (variable, variable_slots, delta) in enumerate(
        zip(variables, slots, update, strict=True)
    ):

        def step(variable=variable, variable_slots=variable_slots, delta=delta, i=i):
            rule.apply(variable, variable_slots, delta, learning_rate, steps[i] + 1)
            return 1

        stepped.append(tf.cond(trained[i], step, lambda: 0))
    return tf.stack(stepped) if stepped else tf.zeros([0], tf.int32)


def trained_variables(
    update: Sequence[tf.Tensor], weight: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Which variables to step: those of weight > 0, but none if one of them is not finite.

    Args:
      update: One tensor per variable.
      weight: float32[n], what the update is a mean over; 0 for a variable that nobody trained.

    Returns:
      bool[n], and float32[], the squared l2 norm of what was trained: it tells whether that is
      finite.
    """
    trained = weight > 0.0
    squares = tf.stack([2.0 * tf.nn.l2_loss(delta) for delta in update])
    square = tf.reduce_sum(tf.where(trained, squares, 0.0))
    return trained & tf.math.is_finite(square), square
