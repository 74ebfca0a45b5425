"""Codecs that turn a tensor into small integers: quantization apart from how levels are packed."""

from __future__ import annotations

import abc
from collections.abc import Sequence

import tensorflow as tf

from compression import bit_packing
from compression.codec import Codec, Payload

LEVELS = "levels"  # the payload's key for packed levels; the other parts are side information


class LevelCodec(Codec):
    """A codec whose payload is packed levels and float side information.

    A subclass says how to quantize; packing at a fixed width is done here, and an entropy coder
    (`codecs.entropy`) packs the same levels in its own way.
    """

    quantizes = True

    def by_rows(self) -> LevelCodec:
        return self

    @property
    @abc.abstractmethod
    def num_levels(self) -> int:
        """Levels are integers in [0, num_levels)."""

    @abc.abstractmethod
    def level_count(self, shape: Sequence[int]) -> int:
        """How many levels a tensor of `shape` takes, padding included."""

    @abc.abstractmethod
    def quantize(self, tensor: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, Payload]:
        """Levels [level_count] (uint8; int32 above 256 levels) and float side information."""

    @abc.abstractmethod
    def dequantize(
        self, levels: tf.Tensor, side: Payload, shape: Sequence[int], seed: tf.Tensor
    ) -> tf.Tensor:
        """The float32 tensor of `shape` that `levels` and `side` stand for."""

    def levels(self, tensor: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return self.quantize(tensor, seed)[0]

    def encode(self, tensor: tf.Tensor, seed: tf.Tensor) -> Payload:
        levels, side = self.quantize(tensor, seed)
        return Payload({LEVELS: bit_packing.pack_levels(levels, self.num_levels), **side})

    def decode(self, payload: Payload, shape: Sequence[int], seed: tf.Tensor) -> tf.Tensor:
        side = Payload((name, part) for name, part in payload.items() if name != LEVELS)
        count = self.level_count(shape)
        levels = bit_packing.unpack_levels(payload[LEVELS], count, self.num_levels)
        return self.dequantize(levels, side, shape, seed)
