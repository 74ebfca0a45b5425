"""Entropy coding of the levels of another codec, as real bytes.

QSGD's paper (arXiv 1610.02132, section 3.2) packs its levels with Elias codes, which suit levels
of which small ones are likely. A range coder with measured frequencies (`compression.rans`) comes
close to the entropy bound whatever the distribution, so this is what is used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from compression import bit_packing, rans
from compression.codec import Payload
from compression.codecs.qsgd import QSGD
from compression.level_codec import LevelCodec
from compression.registry import CODECS
from compression.wrapper import Wrapper

_CODED = ("words", "states", "frequencies")


@CODECS.register("entropy")
@dataclasses.dataclass(frozen=True)
class Entropy(Wrapper):
    """Payload: `words` uint16[?], `states` uint32, `frequencies` uint16[256], `inner`'s floats.

    Several levels of a small alphabet make one symbol (eight bits of one, five of three, two of up
    to sixteen), which codes likely levels in less than a bit. The size of the payload depends on
    the tensor. Tensors below `min_levels` levels are packed as `inner` packs them.

    Attributes:
      inner: A codec of levels, at most 256 of them.
      min_levels: Under this many levels the table of frequencies, 512 bytes, would not pay.
    """

    inner: LevelCodec = QSGD(bits=4)
    min_levels: int = 16384

    def __post_init__(self) -> None:
        if not isinstance(self.inner, LevelCodec):
            raise ValueError(f"entropy: inner = {self.inner} is not a codec of levels.")
        if self.inner.num_levels > rans.ALPHABET:
            raise ValueError(f"entropy: inner = {self.inner} has more than {rans.ALPHABET} levels.")

    def by_rows(self) -> Entropy:
        return dataclasses.replace(self, inner=self.inner.by_rows())

    def levels(self, tensor: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return self.inner.levels(tensor, seed)

    def encode(self, tensor: tf.Tensor, seed: tf.Tensor) -> Payload:
        if not self._is_coded(tensor.shape):
            return self.inner.encode(tensor, seed)
        levels, side = self.inner.quantize(tensor, seed)
        coded = rans.encode(bit_packing.pack_digits(levels, self.inner.num_levels))
        return Payload({**coded._asdict(), **side})

    def decode(self, payload: Payload, shape: Sequence[int], seed: tf.Tensor) -> tf.Tensor:
        if not self._is_coded(shape):
            return self.inner.decode(payload, shape, seed)
        num_levels, count = self.inner.num_levels, self.inner.level_count(shape)
        coded = rans.Coded(**{name: payload[name] for name in _CODED})
        symbols = rans.decode(coded, bit_packing.packed_digits_size(count, num_levels))
        levels = bit_packing.unpack_digits(symbols, count, num_levels)
        side = Payload((name, part) for name, part in payload.items() if name not in _CODED)
        return self.inner.dequantize(levels, side, shape, seed)

    def _is_coded(self, shape: Sequence[int]) -> bool:
        return self.inner.level_count(shape) >= self.min_levels
