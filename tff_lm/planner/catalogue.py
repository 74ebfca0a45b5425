"""The codecs that the planner offers, as options of the configuration.

Entropy coding is not among them: how many bytes it makes depends on the values, so that only a
training can tell.
"""

from __future__ import annotations

import dataclasses

import compression
from tff_lm.config import default_config
from tff_lm.config.option import Value
from tff_lm.experiment import settings


@dataclasses.dataclass(frozen=True)
class Choice:
    """A codec with its options, as leaves of the section "upload" or "download".

    Attributes:
      label: for a table.
      options: name and value of each option that is not at its default.
    """

    label: str
    options: tuple[tuple[str, Value], ...] = ()

    def overrides(self, section: str) -> dict[str, Value]:
        """The options by their dotted keys."""
        return {f"{section}.{name}": value for name, value in self.options}

    def codec(self, section: str) -> compression.Codec:
        """The codec that a training with these options would use."""
        config = default_config()
        config.update_from_flattened_dict(self.overrides(section))
        return settings.codec(config, section)


def _choice(label: str, **options: Value) -> Choice:
    return Choice(label, tuple(options.items()))


_FLOATS = (
    Choice("float32"),
    _choice("bfloat16", codec="bfloat16"),
    _choice("float16", codec="float16"),
)
_EDEN = tuple(_choice(f"eden {bits} bits", codec="eden", bits=bits) for bits in (2, 3, 4, 6, 8))
_DRIVE = _choice("drive (1 bit)", codec="drive")

UPLOADS = (
    *_FLOATS,
    # A range for 1,024 values: with one for a whole tensor, small rows drown in the others' noise.
    *(_choice(f"uniform {b} bits", codec="uniform", bits=b, bucket=1024) for b in (2, 4, 6, 8, 12)),
    _choice("uniform 8 bits, 1 range", codec="uniform", bits=8),
    *(
        _choice(f"rotated uniform {b} bits", codec="uniform", bits=b, rotated=True)
        for b in (1, 2, 3, 4, 6, 8)
    ),
    *(_choice(f"qsgd {b} bits", codec="qsgd", bits=b) for b in (2, 4, 8)),
    _choice("terngrad", codec="terngrad"),
    _DRIVE,
    _choice("drive scaled (1 bit)", codec="drive", scaled=True),
    *_EDEN,
    *(_choice(f"top {f:.0%}", codec="top_k", fraction=f) for f in (0.01, 0.1)),
    _choice("random 10%", codec="random_k", fraction=0.1),
)

# All clients of a round decode the same model, so noise of rounding does not average out between
# them: to the nearest level it is half as large.
DOWNLOADS = (
    *_FLOATS,
    *(
        _choice(f"uniform {b} bits, nearest", codec="uniform", bits=b, stochastic=False)
        for b in (4, 6, 8, 10, 12, 16)
    ),
    _DRIVE,
    *_EDEN,
)
