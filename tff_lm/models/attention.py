"""Causal self-attention over packed sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tff_lm.models.layers import CallContext, Dense, Linear, SubLayer
from tff_lm.models.positions import SINUSOIDAL, Positions

# float32[B, heads, T, T] scores -> what each query (second to last axis) takes of each key, which
# sums to 1 over the keys up to the query and is 0 after it.
Weighing = Callable[[tf.Tensor], tf.Tensor]


def softmax_weights(scores: tf.Tensor) -> tf.Tensor:
    """The softmax over the keys that a query may see; see `Weighing`."""
    return tf.nn.softmax(scores + _causal_bias(tf.shape(scores)[-1]))


class CausalSelfAttention(SubLayer):
    """Multi-head scaled dot-product attention (Vaswani et al. 2017, section 3.2), [N, d] -> [N, d].

    Query, key and value come from one fused projection. Padding is on the right, so the causal mask
    alone keeps a real token from attending to it, and gradients at padding are zero.
    """

    def __init__(
        self,
        path: str,
        width: int,
        heads: int,
        *,
        seed: int,
        precision: str,
        out_scale: float,
        weigh: Weighing = softmax_weights,
        positions: Positions = SINUSOIDAL,
        projection: type[Linear] = Dense,
    ):
        super().__init__(path, precision)
        if width % heads:
            raise ValueError(f"{path}: the width {width} is not a multiple of {heads} heads.")
        self.width, self.heads = width, heads
        self.weigh, self.positions = weigh, positions
        common: dict[str, Any] = {"seed": seed, "precision": precision}
        self.query_key_value = projection(
            f"{path}/query_key_value", width, 3 * width, matrices=3, **common
        )
        self.output_projection = projection(
            f"{path}/output", width, width, scale=out_scale, **common
        )

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        packing = context.packing
        padded = packing.unpack(self.query_key_value(x, context))
        batch, length = packing.batch_size, packing.length
        split = [batch, length, 3, self.heads, self.width // self.heads]
        query, key, value = tf.unstack(
            tf.transpose(tf.reshape(padded, split), [2, 0, 3, 1, 4]), axis=0
        )
        query, key = self.positions.rotate(query), self.positions.rotate(key)
        scores = tf.matmul(query, key, transpose_b=True) * (self.width // self.heads) ** -0.5
        weights = self.weigh(tf.cast(scores, tf.float32))
        mixed = tf.matmul(tf.cast(weights, value.dtype), value)
        merged = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, length, self.width])
        return self.output_projection(packing.pack(merged), context)


def _causal_bias(length: tf.Tensor) -> tf.Tensor:
    """float32[T, T]: 0 where a query may look (itself and before), -1e9 elsewhere."""
    return (tf.linalg.band_part(tf.ones([length, length]), -1, 0) - 1.0) * 1e9
