"""The contract of a codec: one float32 tensor -> a payload of packed tensors -> one float32 tensor.

A codec is an immutable description (a frozen dataclass of its options) made of pure TensorFlow
functions. It knows nothing of federated computations, of rounds or of variables: everything random
in it follows from the int32[2] seed it is given, and the same seed is given to `decode`, since both
ends of a federated round can derive it (from run seed, round and client) without sending it.
"""

from __future__ import annotations

import abc
import collections
from collections.abc import Iterator, Sequence
from typing import ClassVar

import tensorflow as tf

Payload = collections.OrderedDict  # name -> packed tf.Tensor (uint8, uint16, float32, ...)

# The largest value that goes into levels: steps between them, their reciprocals and sums over a
# rotated block then stay within float32's range. What is larger counts as not finite.
LARGEST = 2.0**100


class Codec(abc.ABC):
    """Encodes and decodes one tensor. Subclasses are frozen dataclasses of their options.

    A tensor that holds NaN or an infinity, or a number too large for the codec, still yields a
    payload, of the usual size, for which `is_valid` is False; its decoded value means nothing. What
    is valid decodes to within the codec's error, and 1e-15 for a value: squares and reciprocals of
    smaller ones leave float32's range. Shapes are static; a tensor may have no elements.

    Attributes:
      quantizes: Whether the values become levels between bounds that many of them share, so that
        evening the values out beforehand (`rotated`, `scaled`) lessens the error.
      rotates: Whether the values are rotated before they are coded.
    """

    quantizes: ClassVar[bool] = False
    rotates: ClassVar[bool] = False

    @property
    def is_unbiased(self) -> bool:
        """True if the decoded tensor, averaged over seeds, is the encoded one."""
        return False

    @property
    def is_lossless(self) -> bool:
        """True if decoding returns exactly what was encoded."""
        return False

    @abc.abstractmethod
    def encode(self, tensor: tf.Tensor, seed: tf.Tensor) -> Payload:
        """Packs `tensor` (float32, static shape) using the noise of `seed` (int32[2])."""

    @abc.abstractmethod
    def decode(self, payload: Payload, shape: Sequence[int], seed: tf.Tensor) -> tf.Tensor:
        """The float32 tensor of `shape` in `payload`; `seed` is the one given to `encode`."""

    def layers(self) -> Iterator[Codec]:
        """This codec, then what it is put around, and so on inwards."""
        yield self

    def by_rows(self) -> Codec:
        """This codec with side information of its own for each row, where it has the choice."""
        return self

    def levels(self, tensor: tf.Tensor, seed: tf.Tensor) -> tf.Tensor | None:
        """The small integers behind the payload, whose entropy bounds it; None without any."""
        del tensor, seed
        return None

    def payload_bits(self, payload: Payload) -> tf.Tensor:
        """int64[]: the size of the packed tensors, side information included."""
        sizes = [tf.size(part, out_type=tf.int64) * part.dtype.size for part in payload.values()]
        return tf.add_n(sizes) * 8

    def is_valid(self, payload: Payload) -> tf.Tensor:
        """bool[]: whether every float in the payload is finite.

        This suffices because every codec sends, as a float, a statistic that a single NaN,
        infinity or number too large of its input turns into one (`nan_unless`).
        """
        checks = [all_finite(part) for part in payload.values() if part.dtype.is_floating]
        return tf.reduce_all(tf.stack(checks)) if checks else tf.constant(True)


def nan_unless(condition: tf.Tensor, statistic: tf.Tensor) -> tf.Tensor:
    """A part of a payload, NaN where what it is of cannot be carried."""
    return tf.where(condition, statistic, float("nan"))


def all_finite(tensor: tf.Tensor) -> tf.Tensor:
    """bool[]: whether no value is a NaN or an infinity."""

    def look_at_each() -> tf.Tensor:
        return tf.reduce_all(tf.math.is_finite(tensor))

    if tensor.dtype != tf.float32:
        return look_at_each()
    # One pass without a temporary; only huge values, whose squares overflow, need the other way.
    sum_is_finite = tf.math.is_finite(tf.nn.l2_loss(tensor))
    return tf.cond(sum_is_finite, lambda: tf.constant(True), look_at_each)


def element_count(shape: Sequence[int]) -> int:
    """The number of elements of a static shape."""
    count = tf.TensorShape(shape).num_elements()
    if count is None:
        raise ValueError(f"shape {shape} is not fully known: codecs need static shapes.")
    return count
