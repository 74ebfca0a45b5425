"""Any codec after dividing the rows and columns of a matrix by their sizes.

A rotation spreads a codec's noise evenly over a block, and a range over all that shares it. Rows
and columns of a model delta differ by orders of magnitude, though (words and hidden units that a
client met often, seldom, never), and an adaptive server makes full steps of noise wherever updates
are small. Divided by its row's and its column's root mean square, as Adafactor factors its second
moments (Shazeer and Stern 2018, arXiv 1804.04235, section 3), every value gets noise in proportion
to what is usual for its place. Zero rows and columns stay zero.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from compression.codec import Codec, Payload
from compression.codecs.drive import Drive
from compression.registry import CODECS
from compression.wrapper import Wrapper, check_inner_quantizes

_SCALES = ("row_scales", "column_scales")


@CODECS.register("scaled")
@dataclasses.dataclass(frozen=True)
class Scaled(Wrapper):
    """Payload: that of `inner`, and bfloat16 `row_scales` and `column_scales` of a matrix.

    All axes but the last make the rows. A tensor of one axis goes to `inner` as it is.

    Attributes:
      inner: The codec of the scaled values, which quantizes.
    """

    inner: Codec = Drive()

    def __post_init__(self) -> None:
        check_inner_quantizes("scaled", self.inner)
        if any(isinstance(layer, Scaled) for layer in self.inner.layers()):
            raise ValueError(f"scaled: inner = {self.inner} is scaled already: scale once.")

    def by_rows(self) -> Scaled:
        return dataclasses.replace(self, inner=self.inner.by_rows())

    def levels(self, tensor: tf.Tensor, seed: tf.Tensor) -> tf.Tensor | None:
        return self.inner.levels(_scale(tensor)[0], seed)

    def encode(self, tensor: tf.Tensor, seed: tf.Tensor) -> Payload:
        scaled, scales = _scale(tensor)
        return Payload({**self.inner.encode(scaled, seed), **scales})

    def decode(self, payload: Payload, shape: Sequence[int], seed: tf.Tensor) -> tf.Tensor:
        inner = Payload((name, part) for name, part in payload.items() if name not in _SCALES)
        values = self.inner.decode(inner, shape, seed)
        if _SCALES[0] not in payload:
            return values
        rows, columns = (tf.cast(payload[name], tf.float32) for name in _SCALES)
        matrix = tf.reshape(values, [rows.shape[0], columns.shape[0]])
        return tf.reshape(matrix * columns * rows[:, tf.newaxis], shape)


def _scale(tensor: tf.Tensor) -> tuple[tf.Tensor, Payload]:
    """The tensor with rows and columns of about unit size, and their sizes; or as it is."""
    if len(tensor.shape) < 2 or tensor.shape.num_elements() == 0:
        return tensor, Payload()
    matrix = tf.reshape(tensor, [-1, tensor.shape[-1]])
    rows = _root_mean_square(matrix, axis=1)
    matrix *= tf.math.reciprocal_no_nan(tf.cast(rows, tf.float32))[:, tf.newaxis]
    columns = _root_mean_square(matrix, axis=0)
    matrix *= tf.math.reciprocal_no_nan(tf.cast(columns, tf.float32))
    scales = zip(_SCALES, (rows, columns), strict=True)
    return tf.reshape(matrix, tensor.shape), Payload(scales)


def _root_mean_square(matrix: tf.Tensor, axis: int) -> tf.Tensor:
    """bfloat16, as it is sent: both ends must use the same numbers."""
    return tf.cast(tf.sqrt(tf.reduce_mean(tf.square(matrix), axis)), tf.bfloat16)
