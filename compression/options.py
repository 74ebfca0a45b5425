"""Options of what travels between clients and server, and of how updates are added up.

A codec and the parts of an aggregation are expressions such as 'scaled(eden(bits=2))'
(`tff_lm.expressions`).
"""

from __future__ import annotations

import dataclasses

from tff_lm import expressions
from compression.registry import CODECS
from tff_lm.options import option


def _codec(text: str) -> str:
    """One spelling of a codec, known without building it; raises ValueError for one unknown."""
    return str(_sorted(expressions.parse(text, CODECS)))


def _sorted(expression: expressions.Expression) -> expressions.Expression:
    arguments = [
        (name, _sorted(value) if isinstance(value, expressions.Expression) else value)
        for name, value in expression.arguments
    ]
    arguments.sort(key=lambda argument: (argument[0] != expressions.INNER, argument[0]))
    return expressions.Expression(expression.name, tuple(arguments))


@dataclasses.dataclass(frozen=True)
class DownloadOptions:
    """How the server sends its model."""

    codec: str = option(
        "identity",
        "the code, such as 'scaled(eden(bits=2))'; identity: float32",
        choices=CODECS,
        normalize=_codec,
    )
    min_elements: int = option(1024, "smaller variables go as float32", minimum=1)


@dataclasses.dataclass(frozen=True)
class UploadOptions(DownloadOptions):
    """How clients send their updates."""

    measure_error: bool = option(False, "report the codec's relative squared error")


@dataclasses.dataclass(frozen=True)
class AggregationOptions:
    """What is made of the clients' updates."""

    client_transforms: str = option("", "of an update before it is encoded, in order; empty: none")
    rule: str = option("mean", "how updates are added up")
    sum_transforms: str = option("", "of the sum before it is divided, in order; empty: none")
