"""Packed batches: arithmetic on real tokens only.

A batch of sentences is padded on the right to its longest one. Everything in a language model that
treats each token alone (projections, feed-forward layers, norms, the softmax) runs on the N real
tokens of the batch, as rows of one [N, d] matrix. Only what mixes the tokens of a sentence
(attention, convolution, recurrence) visits the padded [B, T, d] form.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

PAD_ID = 0


@dataclasses.dataclass(frozen=True)
class Packing:
    """Where the N real tokens of a right-padded [B, T] batch lie.

    Attributes:
      rows: int32[N], the index of each real token in the flattened batch, ascending, in [0, B*T).
      positions: int32[N], the place of each token in its sentence, from 0.
      shape: int32[2], (B, T).
    """

    rows: tf.Tensor
    positions: tf.Tensor
    shape: tf.Tensor

    @classmethod
    def of(cls, ids: tf.Tensor) -> Packing:
        """Makes the packing of `ids` (int32[B, T], `PAD_ID` on the right of each row)."""
        shape = tf.shape(ids)
        flat = tf.reshape(ids, [-1])
        rows = tf.cast(tf.where(tf.not_equal(flat, PAD_ID))[:, 0], tf.int32)
        return cls(rows=rows, positions=tf.math.floormod(rows, shape[1]), shape=shape)

    @property
    def batch_size(self) -> tf.Tensor:
        """B, an int32 scalar."""
        return self.shape[0]

    @property
    def length(self) -> tf.Tensor:
        """T, an int32 scalar."""
        return self.shape[1]

    def pack(self, padded: tf.Tensor) -> tf.Tensor:
        """[B, T, ...] -> [N, ...], the real tokens' values."""
        tail = padded.shape[2:]
        values = tf.gather(tf.reshape(padded, tf.concat([[-1], tail], 0)), self.rows)
        return tf.ensure_shape(values, [None, *tail])

    def unpack(self, values: tf.Tensor) -> tf.Tensor:
        """[N, ...] -> [B, T, ...], with zeros at the padding."""
        tail = values.shape[1:]
        flat_shape = tf.concat([[self.batch_size * self.length], tail], 0)
        flat = _scatter_rows(values, self.rows, flat_shape)
        padded = tf.reshape(flat, tf.concat([self.shape, tail], 0))
        return tf.ensure_shape(padded, [None, None, *tail])

    def pack_time_major(self, padded: tf.Tensor) -> tf.Tensor:
        """[T, B, d] -> [N, d]."""
        return tf.gather(tf.reshape(padded, [-1, padded.shape[-1]]), self._time_major_rows())

    def unpack_time_major(self, values: tf.Tensor) -> tf.Tensor:
        """[N, d] -> [T, B, d], with zeros at the padding."""
        width = values.shape[-1]
        flat = _scatter_rows(
            values, self._time_major_rows(), [self.batch_size * self.length, width]
        )
        padded = tf.reshape(flat, [self.length, self.batch_size, width])
        return tf.ensure_shape(padded, [None, None, width])

    def _time_major_rows(self) -> tf.Tensor:
        return self.positions * self.batch_size + tf.math.floordiv(self.rows, self.length)


def _scatter_rows(values: tf.Tensor, rows: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """Writes `values[i]` to row `rows[i]` of a zero tensor; the gradient is a gather."""
    return tf.scatter_nd(rows[:, tf.newaxis], values, shape)
