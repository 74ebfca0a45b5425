"""The pre-norm Transformer decoder of the paper: six blocks with a feed-forward layer of 2,048."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tff_lm.models.attention import CausalSelfAttention
from tff_lm.models.layers import CallContext, Dense, Dropout, LayerNorm, Linear, SubLayer
from tff_lm.models.positions import SINUSOIDAL, Positions


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


class Transformer(SubLayer):
    """The body of the model: [N, d] embeddings -> [N, d].

    `attention(path, width, heads, positions=positions, **common)` and `feed_forward(path, width,
    hidden, **common)` make the layers of the residual branches.
    """

    def __init__(
        self,
        *,
        width: int,
        hidden: int,
        layers: int,
        heads: int,
        dropout: float,
        seed: int,
        precision: str,
        positions: Positions = SINUSOIDAL,
        attention: Callable[..., SubLayer] = CausalSelfAttention,
        feed_forward: Callable[..., SubLayer] = FeedForward,
    ):
        super().__init__("transformer", precision)
        self.positions = positions
        # Residual branches start smaller with depth, so that the sum keeps its scale (Radford et
        # al. 2019, 2.3).
        common: dict[str, Any] = {
            "seed": seed,
            "precision": precision,
            "out_scale": (2 * layers) ** -0.5,
        }
        residual: dict[str, Any] = {"width": width, "precision": precision, "dropout": dropout}
        self.blocks = []
        for i in range(layers):
            path = f"block_{i}"
            attending = attention(f"{path}/attention", width, heads, positions=positions, **common)
            feeding = feed_forward(f"{path}/feed_forward", width, hidden, **common)
            self.blocks += [Residual(attending, **residual), Residual(feeding, **residual)]
        self.norm = LayerNorm("final_norm", width, precision=precision)

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        x = self.positions.add(x, context.packing.positions)
        for block in self.blocks:
            x = block(x, context)
        return self.norm(x)
