"""The codecs by name. A codec registers itself in its file under `codecs/`; none is listed here.

Importing this file imports no TensorFlow: names are read from the sources, and a codec is imported
when one is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tff_lm import expressions
from tff_lm.registry import Registry

if TYPE_CHECKING:
    from compression.codec import Codec
    from compression.parts import ClientTransform, Rule, SumTransform

CODECS: Registry[type[Codec]] = Registry("codec", "CODECS", "compression.codecs")


def codec_names() -> list[str]:
    """Every name `make_codec` takes."""
    return list(CODECS)


def codec_of(text: str) -> Codec:
    """The codec that an expression stands for, such as "scaled(rotated(uniform(bits=4)))".

    Raises:
      ExpressionError: A ValueError that names the text, what is wrong and the nearest valid name.
    """
    return cast("Codec", expressions.build(text, CODECS))


def make_codec(name: str, **options: Any) -> Codec:
    """Builds the codec `name`, for example `make_codec("uniform", bits=4, stochastic=True)`.

    Args:
      name: One of `codec_names()`.
      **options: The fields of that codec. A wrapper takes `inner`, a codec or an expression.

    Raises:
      ValueError: For an unknown codec or option, naming the nearest valid one, or for a value out
        of range.
    """
    codec_class = CODECS[name]
    expressions.check_arguments(name, codec_class, options)
    if isinstance(options.get(expressions.INNER), str):
        options[expressions.INNER] = codec_of(options[expressions.INNER])
    return codec_class(**options)


# The other parts of an aggregator, each a file that registers itself (see `compression.parts`).
CLIENT_TRANSFORMS: Registry[type[ClientTransform]] = Registry(
    "client transform", "CLIENT_TRANSFORMS", "compression.client_transforms"
)
RULES: Registry[type[Rule]] = Registry("rule", "RULES", "compression.rules")
SUM_TRANSFORMS: Registry[type[SumTransform]] = Registry(
    "sum transform", "SUM_TRANSFORMS", "compression.sum_transforms"
)
