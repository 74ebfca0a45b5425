"""The codecs that the planner offers, as expressions.

Entropy coding is not among them: how many bytes it makes depends on the values, so that only a
training can tell.
"""

from __future__ import annotations

import dataclasses

from tff_lm.config.option import Value

_NONE = "identity"


@dataclasses.dataclass(frozen=True)
class Choice:
    """Attributes: what a table calls a codec; its expression."""

    label: str
    expression: str

    def overrides(self, section: str) -> dict[str, Value]:
        """What to set, by dotted key, in the section "upload" or "download"."""
        return {f"{section}.codec": self.expression} if self.expression != _NONE else {}


_FLOATS = (
    Choice("float32", _NONE),
    Choice("bfloat16", "bfloat16"),
    Choice("float16", "float16"),
)
_EDEN = tuple(Choice(f"eden {bits} bits", f"eden(bits={bits})") for bits in (2, 3, 4, 6, 8))
_DRIVE = Choice("drive (1 bit)", "drive")

UPLOADS = (
    *_FLOATS,
    # A range for 1,024 values: with one for a whole tensor, small rows drown in the others' noise.
    *(
        Choice(f"uniform {bits} bits", f"uniform(bits={bits}, bucket=1024)")
        for bits in (2, 4, 6, 8, 12)
    ),
    Choice("uniform 8 bits, 1 range", "uniform(bits=8)"),
    *(
        Choice(f"rotated uniform {bits} bits", f"rotated(uniform(bits={bits}))")
        for bits in (1, 2, 3, 4, 6, 8)
    ),
    *(Choice(f"qsgd {bits} bits", f"qsgd(bits={bits})") for bits in (2, 4, 8)),
    Choice("terngrad", "terngrad"),
    _DRIVE,
    Choice("drive scaled (1 bit)", "scaled(drive)"),
    *_EDEN,
    *(Choice(f"top {part:.0%}", f"top_k(fraction={part})") for part in (0.01, 0.1)),
    Choice("random 10%", "random_k(fraction=0.1)"),
)

# All clients of a round decode the same model, so noise of rounding does not average out between
# them: to the nearest level it is half as large.
DOWNLOADS = (
    *_FLOATS,
    *(
        Choice(f"uniform {bits} bits, nearest", f"uniform(bits={bits}, stochastic=False)")
        for bits in (4, 6, 8, 10, 12, 16)
    ),
    _DRIVE,
    *_EDEN,
)
