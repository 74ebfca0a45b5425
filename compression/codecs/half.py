"""Sixteen-bit floats: half the bytes, and a relative error of each value on its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import tensorflow as tf

from compression.codec import Codec, Payload
from compression.registry import CODECS


class _Cast(Codec):
    """Payload: `values` of `dtype`, rounded to nearest. Beyond its range counts as not finite."""

    dtype: ClassVar[tf.DType]

    def encode(self, tensor: tf.Tensor, seed: tf.Tensor) -> Payload:
        del seed  # nothing random
        return Payload(values=tf.cast(tensor, self.dtype))

    def decode(self, payload: Payload, shape: Sequence[int], seed: tf.Tensor) -> tf.Tensor:
        del shape, seed
        return tf.cast(payload["values"], tf.float32)


@CODECS.register("float16")
@dataclasses.dataclass(frozen=True)
class Float16(_Cast):
    """IEEE half: 11 significant bits from 6e-5 to 65,504; less below, nothing under 6e-8."""

    dtype = tf.float16


@CODECS.register("bfloat16")
@dataclasses.dataclass(frozen=True)
class BFloat16(_Cast):
    """8 significant bits over the whole range of float32."""

    dtype = tf.bfloat16
