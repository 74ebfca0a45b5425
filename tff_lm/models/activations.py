"""What stands between the two matrices of a feed-forward layer, on tensors of any shape."""

from __future__ import annotations

import tensorflow as tf

from tff_lm.models.gradients import Gradient
from tff_lm.models.registry import ACTIVATIONS


@ACTIVATIONS.register("relu")
@tf.custom_gradient
def relu(x: tf.Tensor) -> tf.Tensor:
    """max(x, 0), any shape.

    The gradient is taken in float32: TFF's worker has no vector code for comparing bfloat16, and
    spent a fourteenth of a small model's step on it.
    """
    y = tf.nn.relu(x)

    def grad(upstream: tf.Tensor) -> tf.Tensor:
        wide = tf.raw_ops.ReluGrad(
            gradients=tf.cast(upstream, tf.float32), features=tf.cast(y, tf.float32)
        )
        return tf.cast(wide, x.dtype)

    return y, grad


@ACTIVATIONS.register("squared_relu")
@tf.custom_gradient
def squared_relu(x: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
    """max(x, 0)^2, in float32 as the gradient is (So et al. 2021, "Primer", arXiv 2109.08668)."""
    positive = tf.cast(tf.nn.relu(x), tf.float32)

    def grad(upstream: tf.Tensor) -> tf.Tensor:
        return tf.cast(2.0 * positive * tf.cast(upstream, tf.float32), x.dtype)

    return tf.cast(tf.square(positive), x.dtype), grad


@ACTIVATIONS.register("swish")
def swish(x: tf.Tensor) -> tf.Tensor:
    """X sigmoid(x) (Ramachandran et al. 2017, arXiv 1710.05941)."""
    return tf.nn.silu(x)
