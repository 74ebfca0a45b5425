"""QSGD: stochastic levels of a bucket's l2 norm.

Alistarh et al. 2017, "QSGD: Communication-Efficient SGD via Gradient Quantization and Encoding"
(arXiv 1610.02132), section 3.1: with s levels, |x| / ||x||_2 * s is rounded up with probability
equal to its fraction. Unbiased; squared error at most min(d / s^2, sqrt(d) / s) ||x||^2 in a bucket
of d values, which is why section 4 cuts tensors into buckets. Most levels are small: pack them
with `make_codec("entropy", inner=...)`, where the paper uses Elias codes.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import tensorflow as tf

from compression import randomness
from compression.codec import Payload, element_count
from compression.level_codec import LevelCodec
from compression.registry import CODECS

_GUARD = 2.0**-15  # keeps |x| = norm on the last level despite float32's rounding; see Uniform


@CODECS.register("qsgd")
@dataclasses.dataclass(frozen=True)
class QSGD(LevelCodec):
    """Payload: `levels`, signed, in `bits` bits (1.6 for 2); `norms` float32[buckets].

    Attributes:
      bits: 2 to 8; the number of levels s is 2**(bits - 1) - 1.
      bucket: Values that share one norm; the last bucket of a tensor may hold fewer.
    """

    bits: int = 4
    bucket: int = 512
    is_unbiased = True

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 8:
            raise ValueError(f"qsgd: bits = {self.bits} is not in 2..8.")
        if self.bucket < 1:
            raise ValueError(f"qsgd: bucket = {self.bucket} is not positive.")

    @property
    def num_levels(self) -> int:
        return 2 * self._magnitudes + 1

    @property
    def _magnitudes(self) -> int:
        return 2 ** (self.bits - 1) - 1

    def level_count(self, shape: Sequence[int]) -> int:
        return element_count(shape)

    def quantize(self, tensor: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, Payload]:
        count = element_count(tensor.shape)
        rows = self._rows(tf.reshape(tensor, [count]))
        norms = tf.sqrt(tf.reduce_sum(tf.square(rows), axis=1))
        # Sixteen bits of noise: |x| / norm * s is mostly below one.
        noise = randomness.dither(seed, element_count(rows.shape), _GUARD, tf.uint16)
        slope = tf.math.reciprocal_no_nan(norms) * (self._magnitudes / noise.unit)
        shift = (self._magnitudes + noise.offset) / noise.unit
        # floor(x + u) rounds a negative x away from zero with the probability of its own fraction.
        scaled = rows * slope[:, tf.newaxis] + tf.reshape(noise.integers, rows.shape) + shift
        levels = tf.reshape(tf.cast(scaled * noise.unit, tf.uint8), [-1])
        return levels[:count], Payload(norms=norms)

    def dequantize(
        self, levels: tf.Tensor, side: Payload, shape: Sequence[int], seed: tf.Tensor
    ) -> tf.Tensor:
        del seed
        rows = self._rows(tf.cast(levels, tf.float32) - float(self._magnitudes))
        values = rows * (side["norms"] / self._magnitudes)[:, tf.newaxis]
        return tf.reshape(tf.reshape(values, [-1])[: element_count(shape)], shape)

    def _rows(self, flat: tf.Tensor) -> tf.Tensor:
        """[buckets, bucket], padded with zeros that are not uploaded."""
        count = flat.shape[0]
        buckets = math.ceil(count / self.bucket)
        if buckets * self.bucket != count:
            flat = tf.pad(flat, [[0, buckets * self.bucket - count]])
        return tf.reshape(flat, [buckets, self.bucket])
