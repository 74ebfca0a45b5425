"""TernGrad: three levels, -m, 0 and m = max|x|.

Wen et al. 2017, "TernGrad: Ternary Gradients to Reduce Communication in Distributed Deep Learning"
(arXiv 1705.07878), equations 3 and 4: m * sign(x) * Bernoulli(|x| / m). Unbiased; the squared error
of a coordinate is |x| (m - |x|). Five ternary values fill a byte: 1.6 bits a value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from compression import randomness
from compression.codec import LARGEST, Payload, element_count, nan_unless
from compression.level_codec import LevelCodec
from compression.registry import CODECS

_GUARD = 2.0**-20  # keeps x = m on its level despite float32's rounding; see Uniform


@CODECS.register("terngrad")
@dataclasses.dataclass(frozen=True)
class TernGrad(LevelCodec):
    """Payload: `levels` in {0, 1, 2}, five a byte; `scale` float32[], max|x|.

    Values beyond 2**100 count as not finite.
    """

    is_unbiased = True
    num_levels = 3

    def level_count(self, shape: Sequence[int]) -> int:
        return element_count(shape)

    def quantize(self, tensor: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, Payload]:
        count = element_count(tensor.shape)
        values = tf.reshape(tensor, [count])
        scale = tf.reduce_max(tf.abs(values)) if count else tf.zeros([])
        # Sixteen bits of noise: |x| / m is mostly tiny.
        noise = randomness.dither(seed, count, _GUARD, tf.uint16)
        slope = tf.math.reciprocal_no_nan(scale) / noise.unit
        shifted = values * slope + noise.integers + (1.0 + noise.offset) / noise.unit
        sent = nan_unless(scale <= LARGEST, scale)
        return tf.cast(shifted * noise.unit, tf.uint8), Payload(scale=sent)

    def dequantize(
        self, levels: tf.Tensor, side: Payload, shape: Sequence[int], seed: tf.Tensor
    ) -> tf.Tensor:
        del seed
        values = tf.cast(levels, tf.float32) * side["scale"] - side["scale"]
        return tf.reshape(values, shape)
