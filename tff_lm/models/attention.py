"""Causal self-attention over packed sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tff_lm.models.gradients import Gradient
from tff_lm.models.layers import CallContext, SubLayer
from tff_lm.models.recipe import PAPER, Recipe
from tff_lm.models.rms_norm import RmsNorm

# float32[B, heads, T, T] scores -> what each query (second to last axis) takes of each key, which
# sums to 1 over the keys up to the query and is 0 after it.
Weighing = Callable[[tf.Tensor], tf.Tensor]

_FIRST_VALUE = "attention/first_value"


def softmax_weights(scores: tf.Tensor) -> tf.Tensor:
    """The softmax over the keys that a query may see; see `Weighing`."""
    return tf.nn.softmax(scores + _causal_bias(tf.shape(scores)[-1]))


class CausalSelfAttention(SubLayer):
    """Multi-head scaled dot-product attention (Vaswani et al. 2017, section 3.2), [N, d] -> [N, d].

    Query, key and value come from one fused projection. Padding is on the right, so the causal mask
    alone keeps a real token from attending to it, and gradients at padding are zero.

    A recipe may change three things. Queries and keys are brought to unit size (Henry et al. 2020,
    arXiv 2010.04245), each with a gain a unit, the heads' own and the same in all of them. Values
    are mixed with those of the `first` block (Zhou et al. 2024, arXiv 2410.17897), by a share that
    each other block learns. And tokens are mixed with those just before (`local_mixing`).
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
        recipe: Recipe = PAPER,
        first: bool = True,
    ):
        super().__init__(path, precision)
        if width % heads:
            raise ValueError(f"{path}: the width {width} is not a multiple of {heads} heads.")
        self.width, self.heads = width, heads
        self.weigh, self.positions = weigh, recipe.positions
        common: dict[str, Any] = {"seed": seed, "precision": precision}
        self.query_key_value = recipe.projection(
            f"{path}/query_key_value", width, 3 * width, matrices=3, **common
        )
        self.mixer = recipe.mixer(path, width)
        # Of queries and keys.
        self.unit_norms = [
            RmsNorm(f"{path}/unit_{name}", width // heads)
            for name in ("query", "key")
            if recipe.qk_norm
        ]
        self.leaves_value = recipe.value_residual and first
        self.first_share = (
            self.weight("first_share", [1], tf.keras.initializers.Constant(0.5))
            if recipe.value_residual and not first
            else None
        )
        self.output_projection = recipe.projection(
            f"{path}/output", width, width, scale=out_scale, **common
        )

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        packing = context.packing
        projected = self.query_key_value(self.mixer.of_input(x, context), context)
        padded = packing.unpack(self.mixer.of_projections(projected, context))
        batch, length = packing.batch_size, packing.length
        split = [batch, length, 3, self.heads, self.width // self.heads]
        query, key, value = tf.unstack(
            tf.transpose(tf.reshape(padded, split), [2, 0, 3, 1, 4]), axis=0
        )
        value = self._with_first(value, context)
        if self.unit_norms:
            query, key = (
                tf.cast(norm(part), part.dtype)
                for norm, part in zip(self.unit_norms, (query, key), strict=True)
            )
        query, key = self.positions.rotate(query), self.positions.rotate(key)
        scores = tf.matmul(query, key, transpose_b=True) * (self.width // self.heads) ** -0.5
        weights = self.weigh(tf.cast(scores, tf.float32))
        mixed = tf.matmul(tf.cast(weights, value.dtype), value)
        merged = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, length, self.width])
        return self.output_projection(packing.pack(merged), context)

    def _with_first(self, value: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[B, heads, T, d/heads] -> the same shape and dtype."""
        if self.leaves_value:
            context.shared[_FIRST_VALUE] = value
        if self.first_share is None:
            return value
        return blended(value, context.shared[_FIRST_VALUE], self.first_share)


@tf.custom_gradient
def blended(x: tf.Tensor, other: tf.Tensor, share: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
    """X + share * (other - x), any shape and dtype; share is float32[1]."""
    difference, factor = other - x, tf.cast(share, x.dtype)

    def grad(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        at_other = upstream * factor
        at_share = tf.reduce_sum(tf.cast(upstream * difference, tf.float32))
        return upstream - at_other, at_other, tf.reshape(at_share, [1])

    return x + factor * difference, grad


def _causal_bias(length: tf.Tensor) -> tf.Tensor:
    """float32[T, T]: 0 where a query may look (itself and before), -1e9 elsewhere."""
    return (tf.linalg.band_part(tf.ones([length, length]), -1, 0) - 1.0) * 1e9
