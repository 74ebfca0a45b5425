"""The pre-norm Transformer decoder of the paper: six blocks with a feed-forward layer of 2,048."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tff_lm.models.attention import CausalSelfAttention
from tff_lm.models.blocks import FeedForward, Residual
from tff_lm.models.layers import CallContext, SubLayer
from tff_lm.models.recipe import PAPER, Recipe
from tff_lm.models.registry import MODELS, Architecture
from tff_lm.models.scale_invariant import invariant_attention, invariant_feed_forward


class Transformer(SubLayer):
    """The body of the model: [N, d] embeddings -> [N, d].

    `attention(path, width, heads, first=..., **common)` and `feed_forward(path, width, hidden,
    **common)` make the layers of the residual branches.
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
        recipe: Recipe = PAPER,
        attention: Callable[..., SubLayer] = CausalSelfAttention,
        feed_forward: Callable[..., SubLayer] = FeedForward,
    ):
        super().__init__("transformer", precision)
        self.recipe = recipe
        common: dict[str, Any] = {
            "seed": seed,
            "precision": precision,
            "out_scale": recipe.out_scale(2 * layers),
            "recipe": recipe,
        }
        residual: dict[str, Any] = {"width": width, "dropout": dropout, "norm": recipe.norm}
        self.blocks = []
        for i in range(layers):
            path = f"block_{i}"
            attending = attention(f"{path}/attention", width, heads, first=i == 0, **common)
            feeding = feed_forward(f"{path}/feed_forward", width, hidden, **common)
            self.blocks += [Residual(attending, **residual), Residual(feeding, **residual)]
        self.norm = recipe.norm("final_norm", width, recipe.last_gain(width))

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        x = start = self.recipe.positions.add(x, context.packing.positions)
        for block in self.blocks:
            x = block(x, context)
        return self.recipe.output(self.norm, x, start)


def _of_size(width: int, hidden: int = 2048, layers: int = 6, heads: int = 8) -> Architecture:
    return Architecture(
        Transformer,
        {"width": width, "hidden": hidden, "layers": layers, "heads": heads},
        scale_invariant=functools.partial(
            Transformer, attention=invariant_attention, feed_forward=invariant_feed_forward
        ),
    )


# Small and large: Ro et al. 2022, table 1.
MODELS.register("transformer_tiny")(_of_size(16, hidden=32, layers=2, heads=2))
MODELS.register("transformer_small")(_of_size(128))
MODELS.register("transformer_large")(_of_size(512))
