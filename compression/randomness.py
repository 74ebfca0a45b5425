"""Cheap stateless randomness for codecs: every bit follows from an int32[2] seed.

A Philox draw of 32 bits costs more than the arithmetic of a quantizer, so one draw feeds four
values: each gets eight bits, and all values of the call share one further offset r, uniform in
[0, 1). The sum (byte + r) / 256 is then uniform on [0, 1) for every value taken alone, so
stochastic rounding with it is unbiased *exactly*, coordinate by coordinate, although only eight
bits a value were drawn. What is given up is a little independence: r ties the coordinates of one
call together, by at most 1/256 of a step. Where values lie mostly within 1/256 of a step from a
level (TernGrad: |x| / max|x|), sixteen bits a value are drawn. Different seeds (clients, rounds,
variables) are independent.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf


def fold_in(seed: tf.Tensor, stream: int | tf.Tensor) -> tf.Tensor:
    """An int32[2] seed for one numbered use of `seed`."""
    return tf.random.experimental.stateless_fold_in(seed, stream)


def random_words(seed: tf.Tensor, count: int) -> tf.Tensor:
    """uint32[count] of independent uniform bits."""
    return tf.random.stateless_uniform([count], seed, minval=None, maxval=None, dtype=tf.uint32)


def random_integers(seed: tf.Tensor, count: int, dtype: tf.DType = tf.uint8) -> tf.Tensor:
    """Independent uniform integers [count] over the whole of uint8 or uint16, 4 or 2 to a draw."""
    per_draw = 4 // dtype.size
    words = random_words(seed, -(-count // per_draw))
    values = tf.reshape(tf.bitcast(words, dtype), [-1])
    return values if count % per_draw == 0 else values[:count]


class Dither(NamedTuple):
    """Noise for stochastic rounding, kept in parts so that a caller can fold the last two in.

    `offset + unit * integers` is uniform on [guard, 1 - guard) for every element.
    """

    integers: tf.Tensor  # float32[count], whole numbers
    unit: float
    offset: tf.Tensor  # float32[], the same for all elements


def dither(seed: tf.Tensor, count: int, guard: float = 0.0, dtype: tf.DType = tf.uint8) -> Dither:
    """`count` values of dither from 8 (uint8) or 16 (uint16) bits each and a shared offset."""
    unit = (1.0 - 2.0 * guard) / 2.0 ** (8 * dtype.size)
    shared = tf.random.stateless_uniform([], fold_in(seed, 1))
    integers = tf.cast(random_integers(seed, count, dtype), tf.float32)
    return Dither(integers, unit, guard + unit * shared)


def random_signs(seed: tf.Tensor, count: int) -> tf.Tensor:
    """float32[count] of independent, equally likely -1 and +1."""
    return 1.0 - 2.0 * tf.cast(random_integers(seed, count) & 1, tf.float32)
