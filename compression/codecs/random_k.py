"""Random coordinates, one out of every `stride`, scaled up: the indices follow from the seed.

Konecny et al. 2016, "Federated Learning: Strategies for Improving Communication Efficiency" (arXiv
1610.05492), section 3, random mask. Here the tensor is cut into strides of equal length and one
coordinate is drawn from each, which gives every coordinate the same chance at no cost in sorting.
Unbiased; squared error (stride - 1) ||x||^2.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import tensorflow as tf

from compression.codec import Codec, Payload, element_count
from compression.codecs import sparse
from compression.registry import CODECS


@CODECS.register("random_k")
@dataclasses.dataclass(frozen=True)
class RandomK(Codec):
    """Payload: `values` float32[ceil(n / stride)], scaled by the length of their strides.

    Values that this scaling takes beyond float32's range count as not finite.

    Attributes:
      fraction: The share of coordinates sent; 1 / fraction is rounded to a whole stride.
    """

    fraction: float = 0.1
    is_unbiased = True

    def __post_init__(self) -> None:
        sparse.checked_fraction("random_k", self.fraction)

    def encode(self, tensor: tf.Tensor, seed: tf.Tensor) -> Payload:
        count = element_count(tensor.shape)
        flat = tf.reshape(tensor, [count])
        indices, lengths = self._indices(count, seed)
        values = tf.gather(flat, indices) * lengths
        return Payload(values=sparse.mark_if_not_finite(values, flat))

    def decode(self, payload: Payload, shape: Sequence[int], seed: tf.Tensor) -> tf.Tensor:
        indices, _ = self._indices(element_count(shape), seed)
        return sparse.scatter(payload["values"], indices, shape)

    def _indices(self, count: int, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """int32[k] coordinates and float32[k] lengths of the strides they were drawn from."""
        stride = max(1, round(1 / self.fraction))
        starts = tf.range(0, count, stride)
        lengths = tf.minimum(stride, count - starts)
        draws = tf.random.stateless_uniform([math.ceil(count / stride)], seed)
        offsets = tf.cast(draws * tf.cast(lengths, tf.float32), tf.int32)
        return starts + offsets, tf.cast(lengths, tf.float32)
