"""Cheap stateless randomness for codecs: every bit follows from an int32[2] seed.

A Philox draw of 32 bits costs more than the arithmetic of a quantizer, so one draw feeds four
values: each gets eight bits, and all values of the call share one further offset r, uniform in
[0, 1). The sum (byte + r) / 256 is then uniform on [0, 1) for every value taken alone, so stochastic
rounding with it is unbiased *exactly*, coordinate by coordinate, although only eight bits a value
were drawn. What is given up is a little independence: r ties the coordinates of one call together,
by at most 1/256 of a step. Different seeds (clients, rounds, variables) are independent.
"""

from __future__ import annotations

import tensorflow as tf

_BYTES_PER_DRAW = 4


def fold_in(seed: tf.Tensor, stream: int | tf.Tensor) -> tf.Tensor:
    """An int32[2] seed for one numbered use of `seed`."""
    return tf.random.experimental.stateless_fold_in(seed, stream, alg="philox")


def random_words(seed: tf.Tensor, count: int) -> tf.Tensor:
    """uint32[count] of independent uniform bits."""
    return tf.random.stateless_uniform(
        [count], seed, minval=None, maxval=None, dtype=tf.uint32, alg="philox"
    )


def random_bytes(seed: tf.Tensor, count: int) -> tf.Tensor:
    """uint8[count] of independent uniform bytes, four to a Philox word."""
    words = random_words(seed, -(-count // _BYTES_PER_DRAW))
    values = tf.reshape(tf.bitcast(words, tf.uint8), [-1])
    return values if count % _BYTES_PER_DRAW == 0 else values[:count]


def shared_offset(seed: tf.Tensor) -> tf.Tensor:
    """float32[] r in [0, 1): the part of the dither that all values of one call share."""
    return tf.random.stateless_uniform([], fold_in(seed, 1), alg="philox")


def random_signs(seed: tf.Tensor, count: int) -> tf.Tensor:
    """float32[count] of independent, equally likely -1 and +1."""
    return 1.0 - 2.0 * tf.cast(random_bytes(seed, count) & 1, tf.float32)
