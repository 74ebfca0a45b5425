"""Layers of bodies whose output does not depend on the scale of their matrices.

Ro et al. 2024, "Efficient Language Model Architectures for Differentially Private Federated
Learning" (arXiv 2403.08100), after Li et al. 2022, "Robust Training of Neural Networks Using Scale
Invariant Architectures" (arXiv 2202.00980): where f(c W) = f(W) for every c > 0, the gradient is
orthogonal to W and shrinks as W grows, which gives plain SGD, the clients' optimizer, the learning
rate by weight that an adaptive optimizer would find.

These bodies follow the papers' ideas and are no copies of their models. (Ro et al. were read in
abstract and summary only: "ReLU and max-normalization" in the cell, the rest after Li et al.)

Taken from the papers:
- the CIFG's sigmoids and tanh make way for piecewise linear functions of pre-activations that are
  divided by their own size;
- attention takes relu(q k^T), divided by its sum, in place of the softmax;
- feed-forward layers with ReLU and pre-norm residual branches; nothing has a bias that would break
  homogeneity; embeddings, norms and gains are not part of the invariant weights.

Where this differs:
- The size is the root mean square, and gates are clip(1/2 + z/4). Division by the largest magnitude
  and relu(z) leave the gates of a wide layer in a narrow band, or closed. (One run each of 300
  steps of SGD on the chat corpus, width 96, 512 units: 6.22 nats a token against 6.37.)
- Each residual branch, and the state of the CIFG, is brought to unit size, with a gain a unit. Li
  et al. make embedding and branches homogeneous of the same degree instead, which tied embeddings
  do not allow. So each matrix of the Transformer, and the CIFG's projection, is invariant by
  itself; the CIFG's two kernels and the bias, which add up in z, are together.
- The tied embedding, which makes the logits, keeps its scale. It bounds the learning rate: on the
  chat corpus, SGD at 1.5 (Transformer) or 2 (CIFG) diverges with and without the variant.
- A query also takes a tenth of its mean |score| of every key: without, one with negative scores
  alone would see nothing, and next to that point its gradient has no bound.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from tff_lm.models.attention import CausalSelfAttention
from tff_lm.models.blocks import FeedForward
from tff_lm.models.cifg_cell import Gates
from tff_lm.models.cifg_layer import CifgLstmLayer
from tff_lm.models.layers import CallContext, Linear, SubLayer
from tff_lm.models.recipe import Recipe
from tff_lm.models.rms_norm import RmsNorm, rms_norm, rms_norm_gradient

_FLOOR = 0.1


class ScaleInvariantCell:
    """A `Cell` of piecewise linear functions s(z) = clip(rms_norm(z) / 2, -1, 1), one a part.

        f = (1 + s(z_f)) / 2    o = (1 + s(z_o)) / 2    g = s(z_g)

    after sigmoid(z) = (1 + tanh(z / 2)) / 2. The state is read at unit scale.
    """

    def keep(self, z: tf.Tensor) -> tf.Tensor:
        return z

    def gates(self, kept: tf.Tensor) -> Gates:
        forget, out, candidate = (_squash(part) for part in tf.split(kept, 3, axis=1))
        return 0.5 + 0.5 * forget, 0.5 + 0.5 * out, candidate

    def gates_gradient(self, kept: tf.Tensor, upstream: Gates) -> tf.Tensor:
        forget, out, candidate = tf.split(kept, 3, axis=1)
        d_forget, d_out, d_candidate = upstream
        return tf.concat(
            [
                _squash_gradient(forget, 0.5 * d_forget),
                _squash_gradient(out, 0.5 * d_out),
                _squash_gradient(candidate, d_candidate),
            ],
            axis=1,
        )

    def read(self, state: tf.Tensor) -> tf.Tensor:
        return rms_norm(state)

    def read_gradient(self, state: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
        return rms_norm_gradient(state, upstream)


def _squash(z: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(0.5 * rms_norm(z), -1.0, 1.0)


def _squash_gradient(z: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    inside = tf.cast(tf.abs(rms_norm(z)) < 2.0, upstream.dtype)
    return rms_norm_gradient(z, 0.5 * upstream * inside)


class ScaleInvariantCifgLayer(CifgLstmLayer):
    """A CIFG-LSTM layer with that cell, and with outputs at unit scale, [N, d] -> [N, d]."""

    cell = ScaleInvariantCell()

    def __init__(self, path: str, width: int, hidden: int, *, seed: int, precision: str):
        super().__init__(path, width, hidden, seed=seed, precision=precision)
        self.output_scale = RmsNorm(f"{path}/output", width)

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        return self.output_scale(super().call(x, context))


def relu_weights(scores: tf.Tensor) -> tf.Tensor:
    """An `attention.Weighing`: relu(score) + a tenth of the query's mean |score|, over the sum."""
    seen = tf.linalg.band_part(scores, -1, 0)
    count = tf.range(1, tf.shape(scores)[-1] + 1, dtype=scores.dtype)[:, tf.newaxis]
    floor = _FLOOR * tf.reduce_sum(tf.abs(seen), axis=-1, keepdims=True) / count
    raised = tf.linalg.band_part(tf.nn.relu(seen) + floor, -1, 0)
    return tf.math.divide_no_nan(raised, tf.reduce_sum(raised, axis=-1, keepdims=True))


class Rescaled(SubLayer):
    """A layer whose output is brought to unit scale, times a gain, [N, d] -> [N, d]."""

    def __init__(self, layer: SubLayer, width: int, initial_gain: float):
        super().__init__(f"{layer.path}_rescaled")
        # Residual names its norm after the layer that it holds.
        self.path = layer.path
        self.layer = layer
        self.scale = RmsNorm(layer.path, width, initial_gain)

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        return self.scale(self.layer(x, context))


def invariant_attention(
    path: str, width: int, heads: int, *, out_scale: float, recipe: Recipe, **common: Any
) -> Rescaled:
    """Attention by `relu_weights` whose matrices are invariant, without biases."""
    layer = CausalSelfAttention(
        path,
        width,
        heads,
        out_scale=1.0,
        weigh=relu_weights,
        recipe=dataclasses.replace(recipe, projection=Linear),
        **common,
    )
    return Rescaled(layer, width, out_scale)


def invariant_feed_forward(
    path: str, width: int, hidden: int, *, out_scale: float, recipe: Recipe, **common: Any
) -> Rescaled:
    """A `blocks.FeedForward` whose matrices are invariant, without biases."""
    without_biases = dataclasses.replace(recipe, projection=Linear)
    layer = FeedForward(path, width, hidden, out_scale=1.0, recipe=without_biases, **common)
    return Rescaled(layer, width, out_scale)
