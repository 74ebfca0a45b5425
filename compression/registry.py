"""The codecs by name. A new codec is one file under `codecs/` and one line here."""

from __future__ import annotations

import dataclasses
import difflib
from typing import TYPE_CHECKING, Any

from compression.codec import Codec
from compression.codecs.drive import Drive
from compression.codecs.eden import Eden
from compression.codecs.entropy import Entropy
from compression.codecs.half import BFloat16, Float16
from compression.codecs.identity import Identity
from compression.codecs.qsgd import QSGD
from compression.codecs.random_k import RandomK
from compression.codecs.rotated import Rotated
from compression.codecs.scaled import Scaled
from compression.codecs.terngrad import TernGrad
from compression.codecs.top_k import TopK
from compression.codecs.uniform import Uniform
from tff_lm.registry import Registry

if TYPE_CHECKING:
    from compression.parts import ClientTransform, Rule, SumTransform

CODECS: dict[str, type[Codec]] = {
    "bfloat16": BFloat16,
    "drive": Drive,
    "eden": Eden,
    "entropy": Entropy,
    "float16": Float16,
    "identity": Identity,
    "qsgd": QSGD,
    "random_k": RandomK,
    "rotated": Rotated,
    "scaled": Scaled,
    "terngrad": TernGrad,
    "top_k": TopK,
    "uniform": Uniform,
}


def codec_names() -> list[str]:
    """Every name `make_codec` takes."""
    return sorted(CODECS)


def make_codec(name: str, **options: Any) -> Codec:
    """Builds the codec `name`, for example `make_codec("uniform", bits=4, stochastic=True)`.

    Args:
      name: One of `codec_names()`.
      **options: The fields of that codec. A wrapper takes `inner`, a codec or the name of one.

    Raises:
      ValueError: For an unknown codec or option, naming the nearest valid one, or for a value out
        of range.
    """
    if name not in CODECS:
        raise ValueError(f"Unknown codec {name!r}{_nearest(name, codec_names())}")
    codec_class = CODECS[name]
    fields = [
        field.name
        for field in dataclasses.fields(codec_class)  # type: ignore[arg-type]  # all of them are
        if field.init
    ]
    for option in options:
        if option not in fields:
            raise ValueError(f"Codec {name!r} has no option {option!r}{_nearest(option, fields)}")
    if isinstance(options.get("inner"), str):
        options["inner"] = make_codec(options["inner"])
    return codec_class(**options)


def _nearest(word: str, valid: list[str]) -> str:
    if not valid:
        return ": it takes none."
    close = difflib.get_close_matches(word, valid, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    return f"{hint} Valid: {', '.join(valid)}."


# The other parts of an aggregator, each a file that registers itself (see `compression.parts`).
CLIENT_TRANSFORMS: Registry[type[ClientTransform]] = Registry(
    "client transform", "CLIENT_TRANSFORMS", "compression.client_transforms"
)
RULES: Registry[type[Rule]] = Registry("rule", "RULES", "compression.rules")
SUM_TRANSFORMS: Registry[type[SumTransform]] = Registry(
    "sum transform", "SUM_TRANSFORMS", "compression.sum_transforms"
)
