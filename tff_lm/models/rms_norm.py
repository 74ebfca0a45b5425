"""Division by the root mean square: what forgets the scale of its input, and so of the weights.

RMSNorm (Zhang and Sennrich 2019, arXiv 1910.07467), but nothing is added to the mean square: with
it, the result would depend a little on the scale.
"""

import tensorflow as tf

from tff_lm.models.gradients import Gradient
from tff_lm.models.layers import Gain, Norm
from tff_lm.models.registry import NORMS


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


@NORMS.register("rms")
class RmsNorm(Norm):
    """Gain * x / sqrt(mean(x^2)), [..., d] -> float32[..., d]; the gain is trained, one a unit."""

    def __init__(self, path: str, width: int, initial_gain: Gain = 1.0):
        super().__init__(path, width)
        self.gain = self.weight("gain", [width], tf.keras.initializers.Constant(initial_gain))

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[..., d] -> float32[..., d]."""
        return _scaled(tf.cast(x, tf.float32), self.gain)

    def plain(self, x: tf.Tensor) -> tf.Tensor:
        """The same with a gain of 1."""
        return _scaled(x, tf.ones([x.shape[-1]]))


@tf.custom_gradient
def _scaled(x: tf.Tensor, gain: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
    inverse = _inverse(x)
    y = x * inverse

    def grad(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        at_gain = tf.reduce_sum(upstream * y, axis=list(range(y.shape.rank - 1)))
        upstream *= gain
        mean = tf.reduce_mean(upstream * y, axis=-1, keepdims=True)
        return (upstream - y * mean) * inverse, at_gain

    return y * gain, grad
