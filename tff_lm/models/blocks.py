"""What the blocks of Transformer and Conformer are made of beside attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tff_lm.models.layers import CallContext, Dense, Dropout, LayerNorm, Linear, SubLayer


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


class FeedForward(SubLayer):
    """[N, d] -> [N, d] through a hidden layer; `activation` maps tensors to tensors."""

    def __init__(
        self,
        path: str,
        width: int,
        hidden: int,
        *,
        seed: int,
        precision: str,
        out_scale: float,
        activation: Callable[[tf.Tensor], tf.Tensor] = relu,
        projection: type[Linear] = Dense,
    ):
        super().__init__(path, precision)
        self.activation = activation
        common: dict[str, Any] = {"seed": seed, "precision": precision}
        self.hidden = projection(f"{path}/hidden", width, hidden, **common)
        self.output_projection = projection(
            f"{path}/output", hidden, width, scale=out_scale, **common
        )

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        return self.output_projection(self.activation(self.hidden(x, context)), context)


class Residual(SubLayer):
    """x + factor * dropout(layer(norm(x))): the pre-norm residual branch (Xiong et al. 2020)."""

    def __init__(
        self, layer: SubLayer, width: int, *, precision: str, dropout: float, factor: float = 1.0
    ):
        super().__init__(f"{layer.path}_residual")
        self.norm = LayerNorm(f"{layer.path}/norm", width, precision=precision)
        self.layer = layer
        self.dropout = Dropout(f"{layer.path}/dropout", dropout)
        self.factor = factor

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        branch = self.dropout(self.layer(self.norm(x), context), context)
        branch = tf.cast(branch, x.dtype)
        return x + (branch if self.factor == 1.0 else branch * self.factor)
