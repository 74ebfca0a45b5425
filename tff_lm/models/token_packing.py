"""Packed batches: arithmetic on real tokens only.

A batch of sentences is padded on the right to its longest one. Everything in a language model that
treats each token alone (projections, feed-forward layers, norms, the softmax) runs on the N real
tokens of the batch, as rows of one [N, d] matrix. Only what mixes the tokens of a sentence
(attention, convolution, recurrence) visits the padded [B, T, d] form.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from tff_lm.models.gradients import Gradient

PAD_ID = 0

# The number of rows is rounded up to a multiple of these, by the dtype of the products. In bfloat16
# oneDNN compiles a kernel for each shape it meets, which for a small model takes longer than to run
# it; few row counts are soon all known. In float32 one routine serves all shapes.
ROW_MULTIPLES = {tf.float32: 4, tf.bfloat16: 16}


@dataclasses.dataclass(frozen=True)
class TokenPacking:
    """Where the N real tokens of a right-padded [B, T] batch lie, as rows of an [R, ...] matrix.

    R is N rounded up to one of `ROW_MULTIPLES`. The spare rows come last; whatever stands in
    them, they reach no real row, and no gradient reaches them.

    Attributes:
      rows: int32[R], the index of each token in the flattened batch, ascending; B*T in spare rows.
      positions: int32[R], the place of each token in its sentence, from 0; 0 in spare rows.
      shape: int32[2], (B, T).
      tokens: int32 scalar, N.
    """

    rows: tf.Tensor
    positions: tf.Tensor
    shape: tf.Tensor
    tokens: tf.Tensor

    @classmethod
    def of(cls, ids: tf.Tensor, precision: tf.DType = tf.float32) -> TokenPacking:
        """Makes the packing of `ids` (int32[B, T], `PAD_ID` on the right of each row).

        Args:
          ids: The tokens.
          precision: Of the products that the rows will go through.
        """
        shape = tf.shape(ids)
        real = tf.cast(tf.where(tf.not_equal(tf.reshape(ids, [-1]), PAD_ID))[:, 0], tf.int32)
        tokens = tf.size(real)
        spare = tf.math.floormod(-tokens, ROW_MULTIPLES[precision])
        return cls(
            rows=tf.pad(real, [[0, spare]], constant_values=shape[0] * shape[1]),
            positions=tf.pad(tf.math.floormod(real, shape[1]), [[0, spare]]),
            shape=shape,
            tokens=tokens,
        )

    @property
    def batch_size(self) -> tf.Tensor:
        """B, an int32 scalar."""
        return self.shape[0]

    @property
    def length(self) -> tf.Tensor:
        """T, an int32 scalar."""
        return self.shape[1]

    def ids(self, padded: tf.Tensor) -> tf.Tensor:
        """int32[B, T] -> int32[R], `PAD_ID` in spare rows."""
        return self._gather(padded, self.rows) * tf.cast(self._is_real, tf.int32)

    def pack(self, padded: tf.Tensor) -> tf.Tensor:
        """[B, T, ...] -> [R, ...], the real tokens' values."""
        return self._packed(padded, self.rows)

    def unpack(self, values: tf.Tensor) -> tf.Tensor:
        """[R, ...] -> [B, T, ...], with zeros at the padding."""
        return self._unpacked(values, self.rows, self.shape)

    def without_spare(self, values: tf.Tensor) -> tf.Tensor:
        """[R, d] -> [N, d], without a copy; a slice's own gradient would take three passes."""
        spare = tf.size(self.rows) - self.tokens

        @tf.custom_gradient
        def cut(values: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
            def grad(upstream: tf.Tensor) -> tf.Tensor:
                zeros = tf.zeros([spare, values.shape[1]], upstream.dtype)
                return tf.concat([upstream, zeros], axis=0)

            return values[: self.tokens], grad

        return cut(values)

    def pack_time_major(self, padded: tf.Tensor) -> tf.Tensor:
        """[T, B, d] -> [R, d]."""
        return self._packed(padded, self._time_major_rows)

    def unpack_time_major(self, values: tf.Tensor) -> tf.Tensor:
        """[R, d] -> [T, B, d], with zeros at the padding."""
        # Not shape[::-1]: in a v1 graph, which TFF traces, TensorFlow fails to infer that shape.
        time_major = tf.stack([self.length, self.batch_size])
        return self._unpacked(values, self._time_major_rows, time_major)

    @property
    def _is_real(self) -> tf.Tensor:
        return tf.range(tf.size(self.rows)) < self.tokens

    @property
    def _time_major_rows(self) -> tf.Tensor:
        places = self.positions * self.batch_size + tf.math.floordiv(self.rows, self.length)
        return tf.where(self._is_real, places, self.batch_size * self.length)

    def _gather(self, padded: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        flat = tf.reshape(padded, tf.concat([[-1], padded.shape[2:]], 0))
        # Spare rows read any value.
        return tf.gather(flat, tf.minimum(rows, tf.shape(flat)[0] - 1))

    def _scatter(self, values: tf.Tensor, rows: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
        tail, places = values.shape[1:], shape[0] * shape[1]
        # Spare rows all write to one row behind the batch, which is cut off again.
        flat = tf.scatter_nd(rows[:, tf.newaxis], values, tf.concat([[places + 1], tail], 0))
        padded = tf.reshape(flat[:places], tf.concat([shape, tail], 0))
        return tf.ensure_shape(padded, [None, None, *tail])

    def _packed(self, padded: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(padded)[:2]

        @tf.custom_gradient
        def pack(padded: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
            return self._gather(padded, rows), lambda g: self._scatter(g, rows, shape)

        return tf.ensure_shape(pack(padded), [None, *padded.shape[2:]])

    def _unpacked(self, values: tf.Tensor, rows: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
        @tf.custom_gradient
        def unpack(values: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
            def grad(upstream: tf.Tensor) -> tf.Tensor:
                gathered = self._gather(upstream, rows)
                return gathered * tf.cast(self._is_real[:, tf.newaxis], gathered.dtype)

            return self._scatter(values, rows, shape), grad

        return unpack(values)
