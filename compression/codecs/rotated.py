"""Any codec after a randomized Hadamard rotation, which spreads large values over their block.

Suresh et al. 2017 (arXiv 1611.00429), section 3: after the rotation all values of a block are about
as large as their root mean square, so that a range wastes few levels on outliers. Every block has a
range of its own: with up to 4,096 values to a block that costs next to nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from compression import randomness
from compression.codec import Codec, Payload, element_count
from compression.codecs.uniform import Uniform
from compression.hadamard import Rotation
from compression.registry import CODECS
from compression.wrapper import Wrapper, check_inner_quantizes

_ROTATION, _INNER = 0, 1  # streams of the seed


@CODECS.register("rotated")
@dataclasses.dataclass(frozen=True)
class Rotated(Wrapper):
    """Payload: that of `inner` for the rotated tensor, at most 1/8 of padding included.

    The signs of the rotation follow from the seed, which the decoder knows: they cost nothing.

    Attributes:
      inner: The codec of the rotated values, blocks as rows: [blocks, block]. It quantizes, and
        does not rotate values itself.
    """

    rotates = True

    inner: Codec = Uniform(bits=4)

    def __post_init__(self) -> None:
        check_inner_quantizes("rotated", self.inner)
        if any(layer.rotates for layer in self.inner.layers()):
            raise ValueError(f"rotated: inner = {self.inner} rotates by itself: leave rotated out.")

    def levels(self, tensor: tf.Tensor, seed: tf.Tensor) -> tf.Tensor | None:
        return self._by_rows.levels(_rotate(tensor, seed), randomness.fold_in(seed, _INNER))

    def encode(self, tensor: tf.Tensor, seed: tf.Tensor) -> Payload:
        return self._by_rows.encode(_rotate(tensor, seed), randomness.fold_in(seed, _INNER))

    def decode(self, payload: Payload, shape: Sequence[int], seed: tf.Tensor) -> tf.Tensor:
        rotation = Rotation(element_count(shape))
        rotated = self._by_rows.decode(
            payload, [rotation.blocks, rotation.block], randomness.fold_in(seed, _INNER)
        )
        values = rotation.inverse(rotated, randomness.fold_in(seed, _ROTATION))
        return tf.reshape(values, shape)

    def payload_bits(self, payload: Payload) -> tf.Tensor:
        return self._by_rows.payload_bits(payload)

    def is_valid(self, payload: Payload) -> tf.Tensor:
        return self._by_rows.is_valid(payload)

    @property
    def _by_rows(self) -> Codec:
        return self.inner.by_rows()


def _rotate(tensor: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """float32[blocks, block] of `tensor` rotated."""
    count = element_count(tensor.shape)
    values = tf.reshape(tensor, [count])
    return Rotation(count).forward(values, randomness.fold_in(seed, _ROTATION))
