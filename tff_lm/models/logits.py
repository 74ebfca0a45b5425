"""What becomes of the product with the tied embedding: a soft cap and a bias."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tff_lm.models.gradients import Gradient
from tff_lm.models.layers import SubLayer


class Logits(SubLayer):
    """cap tanh(z / cap) + bias, each where it is wanted; float32[N, V] -> float32[N, V]."""

    def __init__(self, cap: float = 0.0, bias: Sequence[float] | np.ndarray | None = None):
        """With a cap of 0 there is none; `bias` holds the initial values [V] of a trained one."""
        super().__init__("logits")
        self.cap = cap
        self.bias: tf.Variable | None = None
        if bias is not None:
            values = np.asarray(bias, np.float32)
            self.bias = self.weight(
                "bias", [len(values)], lambda shape, dtype=tf.float32, **_: tf.constant(values)
            )

    def call(self, z: tf.Tensor) -> tf.Tensor:
        """float32[N, V] -> float32[N, V]."""
        if self.cap:
            z = soft_cap(z, self.cap)
        # The bias lies outside of the cap: log frequencies are far from 0.
        return z if self.bias is None else tf.nn.bias_add(z, self.bias)


def soft_cap(z: tf.Tensor, cap: float) -> tf.Tensor:
    """Cap * tanh(z / cap): z where it is small, below the cap everywhere (Gemma 2, 2408.00118)."""

    @tf.custom_gradient
    def capped(z: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        squashed = tf.tanh(z * (1.0 / cap))
        return squashed * cap, lambda upstream: upstream * (1.0 - tf.square(squashed))

    return capped(z)
