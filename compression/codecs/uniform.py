"""Uniform quantization to 2**bits levels between the smallest and the largest value.

Suresh et al. 2017, "Distributed Mean Estimation with Limited Communication" (arXiv 1611.00429),
section 2.2: with k = 2**bits levels and step s = (hi - lo) / (k - 1), a value between two levels is
rounded up with probability equal to its fraction (stochastic: unbiased, squared error s^2/6 a
coordinate on average and s^2/4 at most) or to the nearest level (s^2/12 and s^2/4).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from compression import randomness
from compression.codec import LARGEST, Payload, element_count, nan_unless
from compression.level_codec import LevelCodec
from compression.registry import CODECS

_SMALLEST_STEP = 2.0**-126  # below float32's normal range TensorFlow's kernels flush to zero


@CODECS.register("uniform")
@dataclasses.dataclass(frozen=True)
class Uniform(LevelCodec):
    """Payload: `levels`, bit-packed; `range` float32[rows, 2] of (lo, step).

    The paper's rows are whole tensors, the default here. Rows of an embedding differ by orders of
    magnitude in a model delta, though, and a range of their own keeps the small ones. Values beyond
    2**100 count as not finite.

    Attributes:
      bits: Width of a level, 1 to 16.
      stochastic: Round up with probability equal to the fraction, instead of to the nearest.
      per_row: One range per row (all axes but the last); otherwise the whole tensor is one row.
      bucket: If positive, one range for so many consecutive values instead.
    """

    bits: int = 8
    stochastic: bool = True
    per_row: bool = False
    bucket: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 16:
            raise ValueError(f"uniform: bits = {self.bits} is not in 1..16.")
        if self.bucket < 0 or (self.bucket and self.per_row):
            raise ValueError(
                f"uniform: bucket = {self.bucket} must be positive, and stands instead of per_row."
            )

    @property
    def is_unbiased(self) -> bool:
        return self.stochastic

    def by_rows(self) -> Uniform:
        return dataclasses.replace(self, per_row=True, bucket=0)

    @property
    def num_levels(self) -> int:
        return 2**self.bits

    def level_count(self, shape: Sequence[int]) -> int:
        return element_count(shape)

    def quantize(self, tensor: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, Payload]:
        values = self._rows(tensor)
        lo, step = _range(values, self.num_levels - 1)
        levels = tf.reshape(self._round(values, lo, step, seed), [-1])
        side = Payload(range=tf.squeeze(tf.stack([lo, step], -1), 1))
        return levels[: element_count(tensor.shape)], side

    def dequantize(
        self, levels: tf.Tensor, side: Payload, shape: Sequence[int], seed: tf.Tensor
    ) -> tf.Tensor:
        del seed  # the noise is spent at the encoder
        values = self._rows(tf.reshape(tf.cast(levels, tf.float32), shape))
        lo, step = tf.split(side["range"], 2, axis=-1)
        flat = tf.reshape(values * step + lo, [-1])
        return tf.reshape(flat[: element_count(shape)], shape)

    def _rows(self, tensor: tf.Tensor) -> tf.Tensor:
        """[rows, columns], one range each; the last bucket is filled up with its last value."""
        count = element_count(tensor.shape)
        if self.bucket and count:
            flat = tf.reshape(tensor, [count])
            missing = -count % self.bucket
            filled = tf.concat([flat, tf.repeat(flat[-1:], missing)], 0) if missing else flat
            return tf.reshape(filled, [-1, self.bucket])
        if self.per_row and len(tensor.shape) > 1 and count:
            return tf.reshape(tensor, [-1, tensor.shape[-1]])
        return tf.reshape(tensor, [1, count])

    def _round(
        self, values: tf.Tensor, lo: tf.Tensor, step: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        """Levels of `values`[rows, columns], uint8 for up to 8 bits and int32 above.

        Noise is kept `guard` away from 0 and 1, so that float32's rounding cannot push a value that
        is on the grid off its level. The bias is below guard * step = (hi - lo) * 2**-22, which is
        float32's own resolution over that range.
        """
        dtype = tf.uint8 if self.bits <= 8 else tf.int32
        usable = step >= _SMALLEST_STEP
        inverse = tf.where(usable, 1.0 / tf.where(usable, step, 1.0), 0.0)
        if not self.stochastic:
            return tf.cast((values - lo) * inverse + 0.5, dtype)
        noise = randomness.dither(seed, element_count(values.shape), guard=2.0 ** (self.bits - 22))
        # level = floor((x - lo) / step + offset + unit * integer), with the offset folded into lo
        # and the unit into the slope: two passes fewer over memory.
        scaled = (values - (lo - noise.offset * step)) * (inverse / noise.unit)
        return tf.cast((scaled + tf.reshape(noise.integers, values.shape)) * noise.unit, dtype)


def _range(values: tf.Tensor, intervals: int) -> tuple[tf.Tensor, tf.Tensor]:
    """(lo, step), float32[rows, 1] each; zero for a tensor without elements.

    The step is NaN where a value is too large.
    """
    if element_count(values.shape) == 0:
        return tf.zeros([1, 1]), tf.zeros([1, 1])
    lo = tf.reduce_min(values, axis=1, keepdims=True)
    hi = tf.reduce_max(values, axis=1, keepdims=True)
    return lo, nan_unless((lo >= -LARGEST) & (hi <= LARGEST), (hi - lo) / intervals)
