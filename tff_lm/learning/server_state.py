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


def step_touched(
    rule: UpdateRule,
    variables: Sequence[tf.Variable],
    slots: Sequence[Sequence[tf.Variable]],
    update: Sequence[tf.Tensor],
    learning_rate: tf.Tensor,
    steps: tf.Tensor,
    accepted: tf.Tensor,
) -> tf.Tensor:
    """Steps, in place, every variable whose update is not zero everywhere.

    Args:
      rule: The optimizer.
      variables: The n weights.
      slots: The optimizer's state of each variable.
      update: One tensor per variable, in place of a gradient.
      learning_rate: float32[].
      steps: int32[n], how often each variable was updated before.
      accepted: bool[]; if false, nothing is updated.

    Returns:
      int32[n], 1 where the variable was updated.
    """
    touched = []
    for i, (variable, variable_slots, delta) in enumerate(
        zip(variables, slots, update, strict=True)
    ):
        # Two reductions instead of a comparison: no tensor of booleans is made. (`!=` on a tensor
        # compares identities within a TFF computation, which is a TensorFlow 1 graph.)
        extremes = tf.stack([tf.reduce_min(delta), tf.reduce_max(delta)])
        is_touched = accepted & tf.reduce_any(tf.not_equal(extremes, 0.0))

        def step(variable=variable, variable_slots=variable_slots, delta=delta, i=i):
            rule.apply(variable, variable_slots, delta, learning_rate, steps[i] + 1)
            return 1

        touched.append(tf.cond(is_touched, step, lambda: 0))
    return tf.stack(touched) if touched else tf.zeros([0], tf.int32)
