"""Which codec each variable of a model gets, and what its payload is when it is not sent."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from compression.codec import Codec, Payload
from compression.codecs.identity import Identity

# Smaller tensors are sent as float32. Biases and norms are a model's most sensitive variables and
# its cheapest: in the named models those under 1,024 elements hold at most 0.18% of the parameters,
# so raw they add at most 0.6% to an 8-bit upload and 5.5% to a 1-bit one, and up to 51 variables
# are spared the dozens of small operations of a codec. A larger threshold (TFF's own is 20,000)
# would leave biases of 2,048 and small matrices raw: 15% to 90% of the small Transformer at 1 bit.
DEFAULT_MIN_ELEMENTS = 1024


@dataclasses.dataclass(frozen=True)
class CodedVariable:
    """A variable's static shape and dtype, and the codec that carries it."""

    shape: tuple[int, ...]
    dtype: np.dtype
    codec: Codec

    def encode(self, value: tf.Tensor, seed: tf.Tensor) -> Payload:
        """The payload of `value` (this shape and dtype)."""
        return self.codec.encode(value, seed)

    def decode(self, payload: Payload, seed: tf.Tensor) -> tf.Tensor:
        """The value in `payload` (this shape and dtype)."""
        return self.codec.decode(payload, self.shape, seed)

    def empty_payload(self) -> Payload:
        """A payload of the right types that stands for "nothing was sent"."""
        return Payload(
            (name, tf.zeros([size or 0 for size in spec.shape], spec.dtype))
            for name, spec in _payload_spec(self.codec, self.shape).items()
        )


def code_variables(
    shapes_and_dtypes: Sequence[tuple[Sequence[int | None], np.dtype]],
    codec: Codec,
    min_elements: int = DEFAULT_MIN_ELEMENTS,
) -> list[CodedVariable]:
    """Gives `codec` to float32 variables of `min_elements` or more; others are sent as they are."""
    return [
        CodedVariable(
            _static(shape), np.dtype(dtype), _choose(codec, _static(shape), dtype, min_elements)
        )
        for shape, dtype in shapes_and_dtypes
    ]


def _static(shape: Sequence[int | None]) -> tuple[int, ...]:
    static = tuple(size for size in shape if size is not None)
    if len(static) != len(shape):
        raise ValueError(f"A variable of shape {shape} cannot be coded: shapes must be static.")
    return static


def _choose(codec: Codec, shape: tuple[int, ...], dtype: np.dtype, min_elements: int) -> Codec:
    large = int(np.prod(shape)) >= min_elements
    return codec if large and np.dtype(dtype) == np.float32 else Identity()


@functools.cache
def _payload_spec(codec: Codec, shape: tuple[int, ...]) -> Payload:
    """The TensorSpecs of a payload, found by tracing the encoder once per (codec, shape)."""
    traced = tf.function(codec.encode).get_concrete_function(
        tf.TensorSpec(shape, tf.float32), tf.TensorSpec([2], tf.int32)
    )
    return Payload(
        (name, tf.TensorSpec(part.shape, part.dtype))
        for name, part in traced.structured_outputs.items()
    )
