"""What codecs that are put around another codec have in common."""

from __future__ import annotations

from collections.abc import Iterator

from compression.codec import Codec


class Wrapper(Codec):
    """A codec that changes what `inner` is given, or how its payload is packed.

    A subclass is a frozen dataclass with a field `inner`, whose default makes it a codec of its
    own. In an expression `inner` stands without its name: `scaled(drive)`.

    Raises:
      ValueError: From `__post_init__`, in one line, for an `inner` that makes no sense in it.
    """

    inner: Codec

    @property
    def is_unbiased(self) -> bool:
        return self.inner.is_unbiased

    def layers(self) -> Iterator[Codec]:
        yield self
        yield from self.inner.layers()


def check_inner_quantizes(name: str, inner: Codec) -> None:
    """Raises ValueError unless the innermost codec of `inner` profits from evened-out values."""
    *_, innermost = inner.layers()
    if not innermost.quantizes:
        raise ValueError(
            f"{name}: inner = {innermost} does not quantize, so nothing is gained: leave {name} "
            "out, or give it a codec of levels, such as uniform."
        )
