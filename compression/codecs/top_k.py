"""The largest coordinates of a tensor, by absolute value, and where they are.

Biased, with the least squared error of all ways to send k coordinates as they are (Stich et al.
2018, "Sparsified SGD with Memory", arXiv 1809.07599, section 2); at most (1 - k/n) ||x||^2.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from compression import bit_packing
from compression.codec import Codec, Payload, element_count
from compression.codecs import sparse
from compression.registry import CODECS


@CODECS.register("top_k")
@dataclasses.dataclass(frozen=True)
class TopK(Codec):
    """Payload: `indices`, packed in ceil(log2 n) bits each; `values` float32[k].

    Attributes:
      fraction: k / n; k is rounded to a whole number, at least one.
    """

    fraction: float = 0.01

    def __post_init__(self) -> None:
        sparse.checked_fraction("top_k", self.fraction)

    def encode(self, tensor: tf.Tensor, seed: tf.Tensor) -> Payload:
        del seed  # nothing random
        count = element_count(tensor.shape)
        flat = tf.reshape(tensor, [count])
        _, indices = tf.math.top_k(tf.abs(flat), self._kept(count), sorted=True)
        indices = tf.sort(indices)  # in order, the gather below and the decoder's scatter are fast
        values = sparse.mark_if_not_finite(tf.gather(flat, indices), flat)
        return Payload(indices=_pack_indices(indices, count), values=values)

    def decode(self, payload: Payload, shape: Sequence[int], seed: tf.Tensor) -> tf.Tensor:
        del seed
        count = element_count(shape)
        width = bit_packing.bit_width(count)
        indices = bit_packing.unpack(payload["indices"], self._kept(count), width)
        return sparse.scatter(payload["values"], tf.cast(indices, tf.int32), shape)

    def _kept(self, count: int) -> int:
        return min(count, max(1, round(self.fraction * count)))


def _pack_indices(indices: tf.Tensor, count: int) -> tf.Tensor:
    width = bit_packing.bit_width(count)
    return bit_packing.pack(tf.cast(indices, tf.uint8) if width <= 8 else indices, width)
