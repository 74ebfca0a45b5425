"""Sparse updates: the largest values of a whole update, the rest zero.

Aji and Heafield 2017, "Sparse Communication for Distributed Gradient Descent" (arXiv 1704.05021),
section 3, with one threshold for all variables, so that each gets the share that it deserves. The
codec `top_k` chooses within each variable instead and packs the places; after this transform a
codec that packs zeros well, such as `entropy`, makes the upload small.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import tensorflow as tf

from compression.parts import ClientTransform, Measurements, State
from compression.registry import CLIENT_TRANSFORMS
from tff_lm.options import option


@CLIENT_TRANSFORMS.register("keep_largest")
@dataclasses.dataclass(frozen=True)
class KeepLargest(ClientTransform):
    """Keeps ceil(fraction n) of the n values that a client sends, and those as large as the last.

    Reports `mean_share_kept`, float32[]: of the squared length of an update, mean over clients.
    """

    fraction: float = option(
        0.1, "share of the values of an update to keep", minimum=0.0, maximum=1.0
    )

    def __post_init__(self) -> None:
        if not 0.0 < self.fraction <= 1.0:
            raise ValueError(f"keep_largest: fraction = {self.fraction} is not in (0, 1].")

    def apply(
        self, update: Sequence[tf.Tensor], weights: tf.Tensor, state: State, seed: tf.Tensor
    ) -> tuple[Sequence[tf.Tensor], tf.Tensor, Measurements]:
        del state, seed
        sent = tf.unstack(weights > 0.0)
        threshold = self._threshold(update, sent)
        # What is NaN is not smaller than the threshold, and stays to be found.
        kept = [tf.where(_size(value) < threshold, tf.zeros_like(value), value) for value in update]
        share = tf.math.divide_no_nan(_energy(kept, sent), _energy(update, sent))
        return kept, weights, OrderedDict(share=share)

    def report(
        self, state: State, totals: Mapping[str, tf.Tensor], clients: tf.Tensor
    ) -> Measurements:
        del state
        count = tf.cast(clients, tf.float32)
        return OrderedDict(mean_share_kept=tf.math.divide_no_nan(totals["share"], count))

    def _threshold(self, update: Sequence[tf.Tensor], sent: Sequence[tf.Tensor]) -> tf.Tensor:
        """float32[]: the smallest absolute value to keep; 0 where nothing is sent."""
        # What is not sent counts as -1, below everything.
        sizes = [
            tf.reshape(tf.where(is_sent, _size(value), -1.0), [-1])
            for value, is_sent in zip(update, sent, strict=True)
        ]
        flat = tf.concat(sizes, axis=0)
        there = tf.cast(tf.math.count_nonzero(flat >= 0.0), tf.float64)
        count = tf.cast(tf.math.ceil(self.fraction * there), tf.int32)
        largest = tf.math.top_k(flat, tf.maximum(count, 1)).values
        return tf.maximum(largest[-1], 0.0)


def _size(value: tf.Tensor) -> tf.Tensor:
    return tf.abs(tf.cast(value, tf.float32))


def _energy(update: Sequence[tf.Tensor], sent: Sequence[tf.Tensor]) -> tf.Tensor:
    """float32[]: the sum of squares of what is sent, halved."""
    return tf.add_n(
        [
            tf.where(is_sent, tf.nn.l2_loss(tf.cast(value, tf.float32)), 0.0)
            for value, is_sent in zip(update, sent, strict=True)
        ]
    )
