"""Uniform quantization to 2**bits levels between the smallest and the largest value.

Suresh et al. 2017, "Distributed Mean Estimation with Limited Communication" (arXiv 1611.00429),
section 2.2: with k = 2**bits levels and step s = (hi - lo) / (k - 1), a value between two levels is
rounded up with probability equal to its fraction (stochastic, unbiased, squared error at most s^2/4 a
coordinate) or to the nearest level (deterministic, at most s^2/4 as well and 1/3 of it on average).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import tensorflow as tf

from compression import packing, randomness
from compression.codec import Codec, Payload, element_count

_SMALLEST_STEP = 2.0**-126  # below float32's normal range TensorFlow's kernels flush to zero


@dataclasses.dataclass(frozen=True)
class Uniform(Codec):
    """Payload: `levels` uint8, bit-packed; `range` float32[2] or [rows, 2] of (lo, step).

    Attributes:
      bits: Width of a level, 1 to 16.
      stochastic: Round up with probability equal to the fraction, instead of to the nearest.
      per_row: One range per row (all axes but the last) instead of one per tensor.
    """

    bits: int = 8
    stochastic: bool = True
    per_row: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 16:
            raise ValueError(f"uniform: bits = {self.bits} is not in 1..16.")

    @property
    def is_unbiased(self) -> bool:
        return self.stochastic

    def encode(self, tensor: tf.Tensor, seed: tf.Tensor) -> Payload:
        values = tf.reshape(tensor, self._row_shape(tensor.shape))
        lo, step = _range(values, 2**self.bits - 1)
        usable = step >= _SMALLEST_STEP
        inverse = tf.where(usable, 1.0 / tf.where(usable, step, 1.0), 0.0)
        levels = self._round(values, lo, inverse, step, seed)
        flat = tf.reshape(levels, [element_count(tensor.shape)])
        return Payload(
            levels=packing.pack(flat, self.bits),
            range=tf.squeeze(tf.stack([lo, step], -1), 1),
        )

    def decode(self, payload: Payload, shape: Sequence[int], seed: tf.Tensor) -> tf.Tensor:
        del seed  # the noise is spent at the encoder
        levels = packing.unpack(payload["levels"], element_count(shape), self.bits)
        values = tf.reshape(tf.cast(levels, tf.float32), self._row_shape(shape))
        lo, step = tf.split(payload["range"], 2, axis=-1)
        return tf.reshape(values * step + lo, shape)

    def _row_shape(self, shape: Sequence[int]) -> list[int]:
        count = element_count(shape)
        if not self.per_row or len(shape) < 2 or count == 0:
            return [1, count]
        return [math.prod(shape[:-1]), shape[-1]]

    def _round(self, values, lo, inverse, step, seed) -> tf.Tensor:
        """Levels of `values`, uint8 for up to 8 bits and int32 above.

        Noise is kept `guard` away from 0 and 1, so that float32's rounding cannot push a value that
        is on the grid off its level. The bias is below guard * step = (hi - lo) * 2**-22, which is
        float32's own resolution over that range.
        """
        dtype = tf.uint8 if self.bits <= 8 else tf.int32
        if not self.stochastic:
            return tf.cast((values - lo) * inverse + 0.5, dtype)
        guard = 2.0 ** (self.bits - 22)
        unit = (1.0 - 2.0 * guard) / 256.0
        offset = guard + unit * randomness.shared_offset(seed)
        noise = tf.cast(randomness.random_bytes(seed, values.shape.num_elements()), tf.float32)
        # level = floor((x - lo) / step + offset + unit * byte), with the offset folded into lo and the
        # unit into the slope: two passes fewer over memory.
        scaled = (values - (lo - offset * step)) * (inverse / unit)
        return tf.cast((scaled + tf.reshape(noise, values.shape)) * unit, dtype)


def _range(values: tf.Tensor, intervals: int) -> tuple[tf.Tensor, tf.Tensor]:
    """(lo, step), float32[rows, 1] each; zero for a tensor without elements."""
    if values.shape.num_elements() == 0:
        return tf.zeros([1, 1]), tf.zeros([1, 1])
    lo = tf.reduce_min(values, axis=1, keepdims=True)
    hi = tf.reduce_max(values, axis=1, keepdims=True)
    return lo, (hi - lo) / intervals
