"""A causal Conformer decoder (Gulati et al. 2020, arXiv 2005.08100) for language modelling.

Two changes make it causal: the depthwise convolution is padded on the left only, and the
convolution module's batch norm, which mixes positions and clients, is a layer norm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tff_lm.models.activations import swish
from tff_lm.models.attention import CausalSelfAttention
from tff_lm.models.blocks import FeedForward, Residual
from tff_lm.models.layers import CallContext, SeededNormal, SubLayer
from tff_lm.models.recipe import PAPER, Recipe
from tff_lm.models.registry import MODELS, Architecture


class ConvolutionModule(SubLayer):
    """Pointwise d->2d, gated linear unit, causal depthwise convolution, norm, swish, pointwise."""

    def __init__(
        self,
        path: str,
        width: int,
        kernel_size: int,
        *,
        seed: int,
        precision: str,
        out_scale: float,
        recipe: Recipe = PAPER,
    ):
        super().__init__(path, precision)
        common: dict[str, Any] = {"seed": seed, "precision": precision}
        self.gated = recipe.projection(f"{path}/gated", width, 2 * width, matrices=2, **common)
        self.depthwise = CausalDepthwise(f"{path}/depthwise", width, kernel_size, seed=seed)
        self.norm = recipe.norm(f"{path}/inner_norm", width)
        self.output_projection = recipe.projection(
            f"{path}/output", width, width, scale=out_scale, **common
        )

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        values, gates = tf.split(self.gated(x, context), 2, axis=-1)
        mixed = self.depthwise(values * tf.sigmoid(gates), context)
        return self.output_projection(tf.nn.silu(self.norm(mixed)), context)


class CausalDepthwise(SubLayer):
    """y[t] = bias + sum_j kernel[k-1-j] * x[t-j], each channel alone, [N, d] -> [N, d]."""

    def __init__(self, path: str, width: int, kernel_size: int, *, seed: int):
        super().__init__(path)
        self.kernel_size = kernel_size
        self.kernel = self.weight(
            "kernel",
            [kernel_size, width],
            SeededNormal(kernel_size**-0.5, seed, f"{path}/kernel"),
        )
        self.bias = self.weight("bias", [width], "zeros")

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        padded = context.packing.unpack(tf.cast(x, tf.float32))
        return context.packing.pack(causal_depthwise(padded, self.kernel)) + self.bias


@tf.custom_gradient
def causal_depthwise(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """y[b, t, c] = sum_j kernel[k-1-j, c] * x[b, t-j, c], [B, T, d] and [k, d] -> [B, T, d].

    The kernel's gradient is taken from products over the batch, one a channel: TensorFlow's own
    kernel for it took a sixth of a large Conformer's whole step.
    """
    size = kernel.shape[0]
    image = tf.pad(x, [[0, 0], [size - 1, 0], [0, 0]])[:, tf.newaxis]
    filters = kernel[tf.newaxis, :, :, tf.newaxis]
    strides = [1, 1, 1, 1]
    mixed = tf.squeeze(tf.nn.depthwise_conv2d(image, filters, strides, "VALID"), axis=1)

    def grad(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image_gradient = tf.nn.depthwise_conv2d_backprop_input(
            tf.shape(image), filters, upstream[:, tf.newaxis], strides, "VALID"
        )
        return image_gradient[:, 0, size - 1 :], _kernel_gradient(x, upstream, size)

    return mixed, grad


def _kernel_gradient(x: tf.Tensor, upstream: tf.Tensor, size: int) -> tf.Tensor:
    """Sum over b and t of upstream[b, t, c] * x[b, t-j, c] at [k-1-j, c], float32[k, d]."""
    by_channel = tf.matmul(
        tf.transpose(upstream, [2, 1, 0]), tf.transpose(x, [2, 1, 0]), transpose_b=True
    )
    # [c, t, s]; a lag j = t - s is a lower diagonal. Longer lags than the sentence do not occur.
    lags = tf.minimum(size, tf.shape(x)[1])
    diagonals = tf.linalg.diag_part(by_channel, k=tf.stack([1 - lags, 0]))
    sums = tf.reduce_sum(tf.reshape(diagonals, [x.shape[2], lags, -1]), axis=-1)
    # diag_part gives the main diagonal (lag 0) first.
    by_lag = tf.pad(tf.transpose(sums), [[0, size - lags], [0, 0]])
    return tf.ensure_shape(tf.reverse(by_lag, axis=[0]), [size, None])


class Conformer(SubLayer):
    """The body of the model: [N, d] embeddings -> [N, d]."""

    def __init__(
        self,
        *,
        width: int,
        hidden: int,
        layers: int,
        heads: int,
        kernel_size: int,
        dropout: float,
        seed: int,
        precision: str,
        recipe: Recipe = PAPER,
    ):
        super().__init__("conformer", precision)
        self.recipe = recipe
        common: dict[str, Any] = {
            "seed": seed,
            "precision": precision,
            "out_scale": recipe.out_scale(4 * layers),
            "recipe": recipe,
        }
        feeding: dict[str, Any] = {"activation": swish, **common}
        residual: dict[str, Any] = {"width": width, "dropout": dropout, "norm": recipe.norm}
        self.blocks = []
        for i in range(layers):
            path = f"block_{i}"
            first = FeedForward(f"{path}/feed_forward_1", width, hidden, **feeding)
            attention = CausalSelfAttention(
                f"{path}/attention", width, heads, first=i == 0, **common
            )
            convolution = ConvolutionModule(f"{path}/convolution", width, kernel_size, **common)
            second = FeedForward(f"{path}/feed_forward_2", width, hidden, **feeding)
            gain = recipe.last_gain(width) if i == layers - 1 else 1.0
            # The norm within the list: variables come in the order of the layers, from the bottom.
            self.blocks.append(
                [
                    Residual(first, factor=0.5, **residual),
                    Residual(attention, **residual),
                    Residual(convolution, **residual),
                    Residual(second, factor=0.5, **residual),
                    recipe.norm(f"{path}/final_norm", width, gain),
                ]
            )

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        x = start = self.recipe.positions.add(x, context.packing.positions)
        *lower, (*highest, last_norm) = self.blocks
        for *branches, norm in lower:
            x = norm(_through(branches, x, context))
        return self.recipe.output(last_norm, _through(highest, x, context), start)


def _through(layers: Sequence[SubLayer], x: tf.Tensor, context: CallContext) -> tf.Tensor:
    for layer in layers:
        x = layer(x, context)
    return x


def _of_size(
    width: int, hidden: int = 2048, layers: int = 3, heads: int = 8, kernel_size: int = 31
) -> Architecture:
    sizes = {"width": width, "hidden": hidden, "layers": layers, "heads": heads}
    return Architecture(Conformer, sizes | {"kernel_size": kernel_size})


# Large: Ro et al. 2022, table 1.
MODELS.register("conformer_tiny")(_of_size(16, hidden=32, layers=1, heads=2, kernel_size=3))
MODELS.register("conformer_large")(_of_size(512))
