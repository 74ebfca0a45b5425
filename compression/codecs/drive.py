"""DRIVE: one sign bit a coordinate after a rotation, and one scale per block.

Vargaftik et al. 2021, "DRIVE: One-bit Distributed Mean Estimation" (arXiv 2105.08339), algorithm 1:
R^T (S sign(R x)) with S = ||x||^2 / ||R x||_1 (unbiased: relative squared error pi / 2 - 1 = 0.571)
or S = ||R x||_1 / d (least squared error: 1 - 2 / pi = 0.363). EDEN at one bit is the same codec.
"""

from __future__ import annotations

import dataclasses

from compression.codecs.eden import Eden
from compression.registry import CODECS


@CODECS.register("drive")
@dataclasses.dataclass(frozen=True)
class Drive(Eden):
    """Payload: `levels`, one bit each; `scales` float32[blocks]. See `Eden` for `scale`."""

    bits: int = dataclasses.field(default=1, init=False)
    scale: str = "unbiased"
