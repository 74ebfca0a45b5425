"""An entropy coder in the graph: interleaved rANS over symbols of one byte.

Duda 2013, "Asymmetric numeral systems" (arXiv 1311.2540); Giesen 2014, "Interleaved entropy coders"
(arXiv 1402.3392). A range coder takes one symbol after the other; here the symbols are cut into
lanes that are coded side by side, so that each of the at most 1,024 sequential steps is a vector
operation over all lanes. What is returned are real bytes, enough to decode from: the entropy of the
symbols, up to 0.01 bits a symbol for rounded frequencies, and 16 bits a lane.

A lane's state is an integer in [2**16, 2**32), kept as float64, which holds it exactly and divides
it with vector instructions. Coding a symbol of frequency f out of 2**15 multiplies the state by
about 2**15 / f; a state that would leave its range first emits its low 16 bits.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import tensorflow as tf

ALPHABET = 256
_STEPS = 1024  # symbols a lane codes; a lane costs 16 bits that carry nothing
_TOTAL = 2.0**15  # sum of the frequencies; large enough for `_normalize` with 256 symbols
_WORD = 2.0**16


class Coded(NamedTuple):
    """What `encode` makes and `decode` takes."""

    words: tf.Tensor  # uint16[?], in the order of decoding
    states: tf.Tensor  # uint32[lanes], each lane's state after its last symbol
    frequencies: tf.Tensor  # uint16[256], of sum 2**15


def encode(symbols: tf.Tensor) -> Coded:
    """Codes uint8[n]; n is static and positive."""
    count = symbols.shape[0]
    frequencies = _normalize(tf.math.bincount(tf.cast(symbols, tf.int32), minlength=ALPHABET))
    table = _table(frequencies)
    lanes, steps = _layout(count)
    # Filling up with a symbol that occurs: one of frequency zero could not be coded.
    filler = tf.repeat(symbols[:1], lanes * steps - count)
    rows = tf.cast(tf.reshape(tf.concat([symbols, filler], 0), [steps, lanes]), tf.int32)

    def step(index, states, words, emitted):
        frequency, start = tf.unstack(tf.gather(table, rows[index]), num=2, axis=1)
        full = states >= frequency * (_WORD * _WORD / _TOTAL)
        high = tf.floor(states / _WORD)
        words = words.write(index, tf.cast(states - high * _WORD, tf.uint16))
        emitted = emitted.write(index, full)
        states = tf.where(full, high, states)
        quotient = tf.floor(states / frequency)
        states = quotient * _TOTAL + (states - quotient * frequency) + start
        return index - 1, states, words, emitted

    _, states, words, emitted = tf.while_loop(
        lambda index, *_: index >= 0,
        step,
        [
            steps - 1,
            tf.fill([lanes], tf.constant(_WORD, tf.float64)),
            tf.TensorArray(tf.uint16, steps, element_shape=[lanes]),
            tf.TensorArray(tf.bool, steps, element_shape=[lanes]),
        ],
    )
    return Coded(
        tf.boolean_mask(words.stack(), emitted.stack()),
        tf.cast(tf.cast(states, tf.int64), tf.uint32),
        tf.cast(frequencies, tf.uint16),
    )


def decode(coded: Coded, count: int) -> tf.Tensor:
    """The uint8[count] that `encode` was given."""
    frequencies = tf.cast(coded.frequencies, tf.int32)
    table = _table(frequencies)
    symbol_at = tf.repeat(tf.range(ALPHABET), frequencies)
    words = tf.concat([tf.cast(coded.words, tf.float64), [0.0]], 0)  # read, unused, at the end
    lanes, steps = _layout(count)

    def step(index, states, taken, symbols):
        high = tf.floor(states / _TOTAL)
        slot = states - high * _TOTAL
        symbol = tf.gather(symbol_at, tf.cast(slot, tf.int32))
        frequency, start = tf.unstack(tf.gather(table, symbol), num=2, axis=1)
        states = frequency * high + slot - start
        low = states < _WORD
        taking = tf.cast(low, tf.int32)
        position = taken + tf.cumsum(taking, exclusive=True)
        position = tf.minimum(position, tf.size(words) - 1)
        states = tf.where(low, states * _WORD + tf.gather(words, position), states)
        symbols = symbols.write(index, tf.cast(symbol, tf.uint8))
        return index + 1, states, taken + tf.reduce_sum(taking), symbols

    *_, symbols = tf.while_loop(
        lambda index, *_: index < steps,
        step,
        [
            0,
            tf.cast(tf.cast(coded.states, tf.int64), tf.float64),
            0,
            tf.TensorArray(tf.uint8, steps, element_shape=[lanes]),
        ],
    )
    return tf.reshape(symbols.stack(), [-1])[:count]


def _layout(count: int) -> tuple[int, int]:
    """(lanes, steps) for `count` symbols."""
    lanes = math.ceil(count / _STEPS)
    return lanes, math.ceil(count / lanes)


def _table(frequencies: tf.Tensor) -> tf.Tensor:
    """float64[256, 2] of (frequency, sum of those before it)."""
    starts = tf.cumsum(frequencies, exclusive=True)
    return tf.cast(tf.stack([frequencies, starts], 1), tf.float64)


def _normalize(counts: tf.Tensor) -> tf.Tensor:
    """int32[256] counts -> frequencies of sum 2**15, at least 1 for what occurs.

    Rounding down leaves the sum short, and the minimum of 1 leaves it long, by less than 256 each:
    the most frequent symbol, which has more than that to give, takes the difference.
    """
    total = tf.cast(tf.reduce_sum(counts), tf.float64)
    scaled = tf.cast(tf.floor(tf.cast(counts, tf.float64) * (_TOTAL / total)), tf.int32)
    frequencies = tf.maximum(scaled, tf.cast(counts > 0, tf.int32))
    missing = int(_TOTAL) - tf.reduce_sum(frequencies)
    return frequencies + missing * tf.one_hot(tf.argmax(counts), ALPHABET, dtype=tf.int32)
