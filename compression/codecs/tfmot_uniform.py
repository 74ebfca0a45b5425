"""tfmot's uniform quantization behind our contract, for comparison: use `uniform` for training.

The encoding stages of TensorFlow Model Optimization that `tff.aggregators.EncodedSumFactory` is
built on: one range for the whole tensor, levels packed into 28 of the 32 bits of each integer (so
that they keep four bytes as varints). Its random rounding draws from the clock and cannot be
repeated, so its other one is used, to the nearest level: the codec is biased.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import tensorflow as tf
from tensorflow_model_optimization.python.core.internal.tensor_encoding import stages

from compression.codec import LARGEST, Codec, Payload, element_count, nan_unless
from compression.registry import CODECS

_VALUES = stages.UniformQuantizationEncodingStage.ENCODED_VALUES_KEY
_RANGE = stages.UniformQuantizationEncodingStage.MIN_MAX_VALUES_KEY
_PACKED = stages.BitpackingEncodingStage.ENCODED_VALUES_KEY
_BITS_USED = 28  # of each packed int32


@CODECS.register("tfmot_uniform")
@dataclasses.dataclass(frozen=True)
class TfmotUniform(Codec):
    """Payload: `levels` int32[ceil(n bits / 28)]; `range` float32[2] of (lo, hi).

    Values beyond 2**100 count as not finite.

    Attributes:
      bits: Width of a level, 1 to 16.
    """

    quantizes = True

    bits: int = 8

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 16:
            raise ValueError(f"tfmot_uniform: bits = {self.bits} is not in 1..16.")

    def levels(self, tensor: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        del seed  # nothing random
        return tf.reshape(tf.cast(self._quantize(tensor)[_VALUES], tf.int32), [-1])

    def encode(self, tensor: tf.Tensor, seed: tf.Tensor) -> Payload:
        del seed
        count = element_count(tensor.shape)
        if not count:  # tfmot finds no range in nothing
            return Payload(levels=tf.zeros([0], tf.int32), range=tf.zeros([2]))
        quantized = self._quantize(tensor)
        stage = stages.BitpackingEncodingStage(self.bits)
        packed = stage.encode(quantized[_VALUES], stage.get_params()[0])[_PACKED]
        lo_hi = quantized[_RANGE]
        is_usable = (lo_hi[0] >= -LARGEST) & (lo_hi[1] <= LARGEST)
        return Payload(
            levels=tf.reshape(packed, [math.ceil(count * self.bits / _BITS_USED)]),
            range=nan_unless(is_usable, lo_hi),
        )

    def decode(self, payload: Payload, shape: Sequence[int], seed: tf.Tensor) -> tf.Tensor:
        del seed
        count = element_count(shape)
        if not count:
            return tf.zeros(shape)
        packing, quantization = stages.BitpackingEncodingStage(self.bits), self._quantization()
        packed = {_PACKED: payload["levels"][:, tf.newaxis]}
        levels = packing.decode(packed, packing.get_params()[1], shape=tf.constant([count]))
        quantized = {_VALUES: levels, _RANGE: payload["range"]}
        values = quantization.decode(quantized, quantization.get_params()[1])
        return tf.reshape(values, shape)

    def _quantize(self, tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        stage = self._quantization()
        return stage.encode(tensor, stage.get_params()[0])

    def _quantization(self) -> stages.UniformQuantizationEncodingStage:
        return stages.UniformQuantizationEncodingStage(self.bits, stochastic=False)
