"""Bit packing: n values of b bits in b * ceil(n / 8) bytes, by a few vectorised passes.

Layout. The n values are cut into eight consecutive *planes* of m = ceil(n / 8) values. Column c of
the planes holds eight values, 8 b bits, which become b bytes: value i of the column takes the bits
[i b, (i + 1) b) of that little-endian group, and byte j of all groups is stored contiguously as
row j of a [b, m] array. No value is ever moved between columns, so the whole job is shifts and
masks over contiguous memory, done on eight columns at a time by viewing bytes as uint64: the cost
is that of reading the values once.

Values of 3, 5 or 6 levels would waste much of a whole number of bits: they are packed as digits of
a number in one byte instead (five ternary values: 1.6 bits each instead of 2).
"""

from __future__ import annotations

import math

import tensorflow as tf

PLANES = 8  # values per packed group: the smallest count for which every width fills whole bytes
WORD_BYTES = 8  # bytes handled per operation


_DIGITS_PACKED = (3, 5, 6)  # numbers of levels that digits pack more tightly than bits


def pack_levels(levels: tf.Tensor, num_levels: int) -> tf.Tensor:
    """Packs levels[n], in [0, num_levels), as tightly as a fixed width allows: uint8[bytes]."""
    if num_levels in _DIGITS_PACKED:
        return pack_digits(levels, num_levels)
    return pack(levels, bit_width(num_levels))


def unpack_levels(packed: tf.Tensor, count: int, num_levels: int) -> tf.Tensor:
    """The inverse of `pack_levels`: levels[count], uint8 for up to 256 levels and int32 above."""
    if num_levels in _DIGITS_PACKED:
        return unpack_digits(packed, count, num_levels)
    return unpack(packed, count, bit_width(num_levels))


def packed_levels_size(count: int, num_levels: int) -> int:
    """Bytes that `pack_levels` makes of `count` levels."""
    if num_levels in _DIGITS_PACKED:
        return packed_digits_size(count, num_levels)
    return packed_size(count, bit_width(num_levels))


def bit_width(num_values: int) -> int:
    """The least number of bits, at least 1, that tells `num_values` values apart."""
    return max(1, (num_values - 1).bit_length())


def packed_size(count: int, bits: int) -> int:
    """Bytes that `count` values of `bits` bits (1..31) occupy once packed."""
    if bits == 8:
        return count
    if bits > 8:
        return count + packed_size(count, bits - 8)
    return bits * math.ceil(count / PLANES)


def pack(values: tf.Tensor, bits: int) -> tf.Tensor:
    """Packs values[n] (uint8, or int32 above 8 bits), below 2**bits, into uint8[packed_size]."""
    _check_bits(bits)
    if bits > 8:
        low = tf.cast(tf.bitwise.bitwise_and(values, 255), tf.uint8)
        high = tf.bitwise.right_shift(values, 8)
        high = tf.cast(high, tf.uint8) if bits <= 16 else high
        return tf.concat([low, pack(high, bits - 8)], 0)
    if bits == 8:
        return values
    planes = tf.unstack(_to_words(values), num=PLANES)
    rows = []
    for row in range(bits):
        parts = [
            _move(plane, index * bits - 8 * row, bits)
            for index, plane in enumerate(planes)
            if -bits < index * bits - 8 * row < 8
        ]
        rows.append(_either(parts))
    columns = math.ceil(values.shape[0] / PLANES)
    return tf.reshape(_to_bytes(tf.stack(rows))[:, :columns], [-1])


def unpack(packed: tf.Tensor, count: int, bits: int) -> tf.Tensor:
    """The inverse of `pack`: values[count], uint8 for up to 8 bits and int32 above."""
    _check_bits(bits)
    if bits > 8:
        low = tf.cast(packed[:count], tf.int32)
        high = tf.cast(unpack(packed[count:], count, bits - 8), tf.int32)
        return tf.bitwise.bitwise_or(low, tf.bitwise.left_shift(high, 8))
    if bits == 8:
        return packed
    columns = math.ceil(count / PLANES)
    rows = tf.unstack(_to_words(packed, planes=bits), num=bits)
    planes = []
    for index in range(PLANES):
        parts = [
            _move(rows[row], 8 * row - index * bits, 8)
            for row in range(bits)
            if -bits < index * bits - 8 * row < 8
        ]
        planes.append(tf.bitwise.bitwise_and(_either(parts), _every_byte(2**bits - 1)))
    return tf.reshape(_to_bytes(tf.stack(planes))[:, :columns], [-1])[:count]


def pack_digits(values: tf.Tensor, base: int) -> tf.Tensor:
    """Packs uint8 values[n] below `base` (2..256), each byte a number of several such digits."""
    digits = _digits_per_byte(base)
    columns = packed_digits_size(values.shape[0], base)
    padded = tf.pad(values, [[0, digits * columns - values.shape[0]]])
    planes = tf.unstack(tf.reshape(padded, [digits, columns]), num=digits)
    number = planes[-1]
    for plane in reversed(planes[:-1]):
        number = number * base + plane
    return number


def unpack_digits(packed: tf.Tensor, count: int, base: int) -> tf.Tensor:
    """The inverse of `pack_digits`: uint8[count]."""
    number = tf.cast(packed, tf.float32)  # integer division is not vectorised; this is exact
    planes = []
    for _ in range(_digits_per_byte(base)):
        quotient = tf.floor((number + 0.5) * (1.0 / base))
        planes.append(tf.cast(number - quotient * base, tf.uint8))
        number = quotient
    return tf.concat(planes, 0)[:count]


def packed_digits_size(count: int, base: int) -> int:
    """Bytes that `pack_digits` makes of `count` values."""
    return math.ceil(count / _digits_per_byte(base))


def _digits_per_byte(base: int) -> int:
    digits = 1
    while base ** (digits + 1) <= 256:
        digits += 1
    return digits


def _check_bits(bits: int) -> None:
    if not 1 <= bits <= 31:
        raise ValueError(f"bits = {bits} cannot be packed: give a width from 1 to 31.")


def _every_byte(byte: int) -> tf.Tensor:
    """The uint64 all of whose bytes are `byte`."""
    return tf.constant(int.from_bytes(bytes([byte]) * WORD_BYTES, "little"), tf.uint64)


def _move(words: tf.Tensor, shift: int, width: int) -> tf.Tensor:
    """Shifts every byte (of `width` used bits) left by `shift`, dropping what leaves the byte."""
    kept = ((2**width - 1) << shift if shift >= 0 else (2**width - 1) >> -shift) & 255
    source = kept >> shift if shift >= 0 else (kept << -shift) & 255
    if source != 2**width - 1:  # some bits leave their byte: they must not reach its neighbour
        words = tf.bitwise.bitwise_and(words, _every_byte(source))
    if shift > 0:
        return tf.bitwise.left_shift(words, tf.constant(shift, tf.uint64))
    if shift < 0:
        return tf.bitwise.right_shift(words, tf.constant(-shift, tf.uint64))
    return words


def _either(parts: list[tf.Tensor]) -> tf.Tensor:
    result = parts[0]
    for part in parts[1:]:
        result = tf.bitwise.bitwise_or(result, part)
    return result


def _to_words(values: tf.Tensor, planes: int = PLANES) -> tf.Tensor:
    """uint8[n] -> uint64[planes, ceil(n / planes / 8)], each plane padded with zeros by itself."""
    count = values.shape[0]
    columns = math.ceil(count / planes)
    words = math.ceil(columns / WORD_BYTES)
    if planes * columns != count:
        values = tf.pad(values, [[0, planes * columns - count]])
    values = tf.reshape(values, [planes, columns])
    if words * WORD_BYTES != columns:
        values = tf.pad(values, [[0, 0], [0, words * WORD_BYTES - columns]])
    return tf.bitcast(tf.reshape(values, [planes, words, WORD_BYTES]), tf.uint64)


def _to_bytes(words: tf.Tensor) -> tf.Tensor:
    """uint64[planes, words] -> uint8[planes, 8 words]."""
    return tf.reshape(tf.bitcast(words, tf.uint8), [words.shape[0], -1])
