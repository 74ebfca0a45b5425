"""How a body with attention tells the places of tokens in their sentence."""

from __future__ import annotations

import tensorflow as tf

from tff_lm.models.registry import POSITIONS


class Positions:
    """A kind of positions: what it does to embeddings, and to queries and keys."""

    def add(self, x: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
        """The embeddings float32[N, d] of tokens at int32[N] -> float32[N, d]."""
        del positions
        return x

    def rotate(self, heads: tf.Tensor) -> tf.Tensor:
        """Queries or keys [..., T, d/heads], in order of their places -> the same shape, dtype."""
        return heads


@POSITIONS.register("sinusoidal")
class SinusoidalPositions(Positions):
    """Sines, then cosines, added to the embeddings (Vaswani et al. 2017, section 3.5)."""

    def add(self, x: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
        angles = _angles(positions, x.shape[-1] // 2)
        return x + tf.concat([tf.sin(angles), tf.cos(angles)], axis=-1)


@POSITIONS.register("rotary")
class RotaryPositions(Positions):
    """Queries and keys are turned, so that their product knows their distance alone.

    Su et al. 2021, "RoFormer" (arXiv 2104.09864), section 3.2.2, with the first half of a head's
    values paired with the second. Without weights, and without limit of length.
    """

    def rotate(self, heads: tf.Tensor) -> tf.Tensor:
        angles = _angles(tf.range(tf.shape(heads)[-2]), heads.shape[-1] // 2)
        cosine, sine = tf.cos(angles), tf.sin(angles)
        first, second = tf.split(tf.cast(heads, tf.float32), 2, axis=-1)
        turned = [first * cosine - second * sine, first * sine + second * cosine]
        return tf.cast(tf.concat(turned, axis=-1), heads.dtype)


def _angles(positions: tf.Tensor, pairs: int) -> tf.Tensor:
    """int32[N] -> float32[N, pairs]: each place times 10000^(-i/pairs)."""
    rates = 10000.0 ** (-tf.range(pairs, dtype=tf.float32) / pairs)
    return tf.cast(positions, tf.float32)[:, tf.newaxis] * rates[tf.newaxis, :]


SINUSOIDAL = SinusoidalPositions()
