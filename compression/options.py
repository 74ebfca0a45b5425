"""Options of what travels between clients and server, and of how updates are added up.

A codec and the parts of an aggregation are expressions such as 'scaled(eden(bits=2))'
(`tff_lm.expressions`).
"""

from __future__ import annotations

import dataclasses
import functools

from tff_lm import expressions
from compression.registry import CLIENT_TRANSFORMS, CODECS, RULES, SUM_TRANSFORMS
from tff_lm.options import option


@dataclasses.dataclass(frozen=True)
class DownloadOptions:
    """How the server sends its model."""

    codec: str = option(
        "identity",
        "the code, such as 'scaled(eden(bits=2))'; identity: float32",
        choices=CODECS,
        normalize=functools.partial(expressions.spelling, registry=CODECS),
    )
    min_elements: int = option(1024, "smaller variables go as float32", minimum=1)


@dataclasses.dataclass(frozen=True)
class UploadOptions(DownloadOptions):
    """How clients send their updates."""

    measure_error: bool = option(False, "report the codec's relative squared error")


@dataclasses.dataclass(frozen=True)
class AggregationOptions:
    """What is made of the clients' updates."""

    client_transforms: str = option(
        "",
        "of an update before it is encoded, in order, such as 'clip(norm=1.0)'; empty: none",
        choices=CLIENT_TRANSFORMS,
        normalize=functools.partial(expressions.spelling_many, registry=CLIENT_TRANSFORMS),
    )
    rule: str = option(
        "mean",
        "how updates are added up",
        choices=RULES,
        normalize=functools.partial(expressions.spelling, registry=RULES),
    )
    sum_transforms: str = option(
        "",
        "of the sum before it is divided, in order; empty: none",
        choices=SUM_TRANSFORMS,
        normalize=functools.partial(expressions.spelling_many, registry=SUM_TRANSFORMS),
    )
