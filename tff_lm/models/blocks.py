"""What the blocks of Transformer and Conformer are made of beside attention."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tff_lm.models.activations import relu
from tff_lm.models.layers import CallContext, Dropout, LayerNorm, Norm, SubLayer
from tff_lm.models.recipe import PAPER, Activation, Recipe


class FeedForward(SubLayer):
    """[N, d] -> [N, d] through a hidden layer; `activation` is the body's own."""

    def __init__(
        self,
        path: str,
        width: int,
        hidden: int,
        *,
        seed: int,
        precision: str,
        out_scale: float,
        activation: Activation = relu,
        recipe: Recipe = PAPER,
    ):
        super().__init__(path, precision)
        self.activation = recipe.activation or activation
        common: dict[str, Any] = {"seed": seed, "precision": precision}
        self.hidden = recipe.projection(f"{path}/hidden", width, hidden, **common)
        self.output_projection = recipe.projection(
            f"{path}/output", hidden, width, scale=out_scale, **common
        )

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        return self.output_projection(self.activation(self.hidden(x, context)), context)


class Residual(SubLayer):
    """x + factor * dropout(layer(norm(x))): the pre-norm residual branch (Xiong et al. 2020)."""

    def __init__(
        self,
        layer: SubLayer,
        width: int,
        *,
        dropout: float,
        factor: float = 1.0,
        norm: type[Norm] = LayerNorm,
    ):
        super().__init__(f"{layer.path}_residual")
        self.norm = norm(f"{layer.path}/norm", width)
        self.layer = layer
        self.dropout = Dropout(f"{layer.path}/dropout", dropout)
        self.factor = factor

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        branch = self.dropout(self.layer(self.norm(x), context), context)
        branch = tf.cast(branch, x.dtype)
        return x + (branch if self.factor == 1.0 else branch * self.factor)
