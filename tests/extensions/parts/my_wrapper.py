"""A wrapper from outside: the inner codec on halved values."""

import dataclasses

from compression.codec import Codec, Payload
from compression.codecs.identity import Identity
from compression.registry import CODECS
from compression.wrapper import Wrapper


@CODECS.register("halved")
@dataclasses.dataclass(frozen=True)
class Halved(Wrapper):
    """Payload: that of `inner`."""

    inner: Codec = Identity()

    def encode(self, tensor, seed) -> Payload:
        return self.inner.encode(0.5 * tensor, seed)

    def decode(self, payload, shape, seed):
        return 2.0 * self.inner.decode(payload, shape, seed)
