"""Causal self-attention over packed sentences."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tff_lm.models.layers import CallContext, Dense, SubLayer


class CausalSelfAttention(SubLayer):
    """Multi-head scaled dot-product attention (Vaswani et al. 2017, section 3.2), [N, d] -> [N, d].

    Query, key and value come from one fused projection. Padding is on the right, so the causal mask
    alone keeps a real token from attending to it, and gradients at padding are zero.
    """

    def __init__(
        self, path: str, width: int, heads: int, *, seed: int, precision: str, out_scale: float
    ):
        super().__init__(path, precision)
        if width % heads:
            raise ValueError(f"{path}: the width {width} is not a multiple of {heads} heads.")
        self.width, self.heads = width, heads
        common: dict[str, Any] = {"seed": seed, "precision": precision}
        self.query_key_value = Dense(f"{path}/query_key_value", width, 3 * width, **common)
        self.output_projection = Dense(f"{path}/output", width, width, scale=out_scale, **common)

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        packing = context.packing
        padded = packing.unpack(self.query_key_value(x, context))
        batch, length = packing.batch_size, packing.length
        split = [batch, length, 3, self.heads, self.width // self.heads]
        query, key, value = tf.unstack(
            tf.transpose(tf.reshape(padded, split), [2, 0, 3, 1, 4]), axis=0
        )
        scores = tf.matmul(query, key, transpose_b=True) * (self.width // self.heads) ** -0.5
        probabilities = tf.nn.softmax(tf.cast(scores, tf.float32) + _causal_bias(length))
        mixed = tf.matmul(tf.cast(probabilities, value.dtype), value)
        merged = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, length, self.width])
        return self.output_projection(packing.pack(merged), context)


def _causal_bias(length: tf.Tensor) -> tf.Tensor:
    """float32[T, T]: 0 where a query may look (itself and before), -1e9 elsewhere."""
    return (tf.linalg.band_part(tf.ones([length, length]), -1, 0) - 1.0) * 1e9
