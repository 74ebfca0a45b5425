"""Division by the root mean square: what forgets the scale of its input, and so of the weights.

RMSNorm (Zhang and Sennrich 2019, arXiv 1910.07467), but nothing is added to the mean square: with
it, the result would depend a little on the scale.
"""

import tensorflow as tf

from tff_lm.models.gradients import Gradient
from tff_lm.models.layers import SubLayer


def rms_norm(x: tf.Tensor) -> tf.Tensor:
    """Divides by sqrt(mean(x^2)) over the last axis, float32[..., d], the same shape; 0 for 0."""
    return x * _inverse(x)


def rms_norm_gradient(x: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    """The gradient at x of `rms_norm`, from that at its result: orthogonal to x."""
    inverse = _inverse(x)
    y = x * inverse
    return (upstream - y * tf.reduce_mean(upstream * y, axis=-1, keepdims=True)) * inverse


def _inverse(x: tf.Tensor) -> tf.Tensor:
    square = tf.reduce_mean(tf.square(x), axis=-1, keepdims=True)
    return tf.math.divide_no_nan(1.0, tf.sqrt(square))


class RmsNorm(SubLayer):
    """Gain * x / sqrt(mean(x^2)), [N, d] -> float32[N, d]; the gain is trained, one a unit."""

    def __init__(self, path: str, width: int, initial_gain: float = 1.0):
        super().__init__(path)
        self.gain = self.weight("gain", [width], tf.keras.initializers.Constant(initial_gain))

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[N, d] -> float32[N, d]."""
        return _normalized(tf.cast(x, tf.float32)) * self.gain


@tf.custom_gradient
def _normalized(x: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
    return rms_norm(x), lambda upstream: rms_norm_gradient(x, upstream)
