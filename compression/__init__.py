"""Compression of model updates and models: codecs, and what TFF builds on any codec.

Importing this package imports no TensorFlow: `Codec` and `Payload` are looked up when they are
used. `compression.aggregation` and `compression.broadcast` import TensorFlow Federated as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from compression.registry import codec_names as codec_names
from compression.registry import codec_of as codec_of
from compression.registry import make_codec as make_codec

if TYPE_CHECKING:
    from compression.codec import Codec as Codec
    from compression.codec import Payload as Payload


def __getattr__(name: str) -> object:
    if name in ("Codec", "Payload"):
        from compression import codec

        return getattr(codec, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
