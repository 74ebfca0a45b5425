"""How the layers of a body with attention are made, beside its sizes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tff_lm.models.layers import Dense, Gain, LayerNorm, Linear, Norm
from tff_lm.models.local_mixing import Mixer
from tff_lm.models.options import OWN, ModelOptions
from tff_lm.models.positions import SINUSOIDAL, Positions
from tff_lm.models.registry import ACTIVATIONS, MIXERS, NORMS, POSITIONS

Activation = Callable[[tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What the options of `ModelOptions` came to; the defaults are the paper's.

    Attributes:
      positions: How attention tells places.
      activation: Of the feed-forward layers; None: the body's own.
      norm: Makes a norm from a path and a width.
      projection: Makes a matrix, with a bias or without.
      mixer: Makes what stands around attention's projection.
      zero_init: Whether residual branches start at zero.
      qk_norm: Whether queries and keys are brought to unit size, with a gain a unit.
      value_residual: Whether values are mixed with the first block's.
      subtract_input: See `output`.
      final_gain: Initial gain of the last norm.
      alternate_gain: See `last_gain`.
    """

    positions: Positions = SINUSOIDAL
    activation: Activation | None = None
    norm: type[Norm] = LayerNorm
    projection: type[Linear] = Dense
    mixer: type[Mixer] = Mixer
    zero_init: bool = False
    qk_norm: bool = False
    value_residual: bool = False
    subtract_input: bool = False
    final_gain: float = 1.0
    alternate_gain: bool = False

    @classmethod
    def of(cls, options: ModelOptions) -> Recipe:
        """Looks up what the options name; raises ValueError for an unknown name."""
        own = options.activation == OWN
        return cls(
            positions=POSITIONS[options.positions](),
            activation=None if own else ACTIVATIONS[options.activation],
            norm=NORMS[options.norm],
            projection=Dense if options.biases else Linear,
            mixer=MIXERS[options.local_mixing],
            zero_init=options.zero_init,
            qk_norm=options.qk_norm,
            value_residual=options.value_residual,
            subtract_input=options.subtract_input,
            final_gain=options.final_gain,
            alternate_gain=options.alternate_gain,
        )

    def out_scale(self, branches: int) -> float:
        """The initial scale of the last matrix of each of so many residual branches.

        They start smaller with depth, so that the sum keeps its scale (Radford et al. 2019, 2.3);
        or at zero, so that at first a block changes nothing.
        """
        return 0.0 if self.zero_init else branches**-0.5

    def last_gain(self, width: int) -> Gain:
        """The initial gain of the last norm: of one sign, or of both in turns.

        A tied embedding gives the input's own token by far the largest product with the stream,
        which at first is mostly that embedding: e . e. With half of the signs turned this is near
        0, as every other token's, and the stream keeps its size for what is to be learned.
        """
        if not self.alternate_gain:
            return self.final_gain
        return np.where(np.arange(width) % 2, -self.final_gain, self.final_gain)

    def output(self, norm: Norm, x: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
        """What logits are made of, float32[N, d].

        `subtract_input` takes the stream as it entered the blocks out again, and with it the
        token's own embedding (see `last_gain`): blocks that change nothing give logits of 0.

        Args:
          norm: The last one.
          x: [N, d], the stream behind the blocks.
          start: [N, d], the stream before them.
        """
        if not self.subtract_input:
            return norm(x)
        gain = tf.cast(self.last_gain(x.shape[-1]), tf.float32)
        return norm(x) - gain * norm.plain(tf.cast(start, tf.float32))


PAPER = Recipe()
