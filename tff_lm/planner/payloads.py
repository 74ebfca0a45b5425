"""The size of a payload without a value to encode: the codec is traced, not run."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from compression import Codec, Payload
from compression.variables import code_variables


def payload_bits(shapes: Sequence[tuple[int, ...]], codec: Codec, min_elements: int) -> np.ndarray:
    """int64[V]: bits of the payload of each float32 variable, as clients and server measure them.

    Args:
      shapes: of the V variables.
      codec: carries those of at least `min_elements` elements.
      min_elements: smaller variables are sent as float32.

    Raises:
      ValueError: if the size of a payload depends on the values in it.
    """
    described = [(shape, np.dtype(np.float32)) for shape in shapes]
    variables = code_variables(described, codec, min_elements)
    return np.array([_traced_bits(each.codec, each.shape) for each in variables], np.int64)


@functools.cache
def _traced_bits(codec: Codec, shape: tuple[int, ...]) -> int:
    with tf.Graph().as_default():
        value = tf.compat.v1.placeholder(tf.float32, shape)
        parts = codec.encode(value, tf.compat.v1.placeholder(tf.int32, [2]))
    if not all(part.shape.is_fully_defined() for part in parts.values()):
        raise ValueError(f"how many bytes {codec} makes depends on what it encodes")
    # The codec's own count, of tensors that have the payload's types and nothing in them.
    empty = Payload((name, tf.zeros(part.shape, part.dtype)) for name, part in parts.items())
    return int(codec.payload_bits(empty))
