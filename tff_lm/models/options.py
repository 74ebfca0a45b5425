"""Options of a model."""

from __future__ import annotations

import dataclasses

from tff_lm.models.registry import MODELS, POSITIONS
from tff_lm.options import option


@dataclasses.dataclass(frozen=True)
class ModelOptions:
    """The architecture."""

    name: str = option("transformer_small", "architecture and size", choices=MODELS)
    dropout: float = option(0.0, "dropout rate while training", minimum=0, maximum=0.95)
    scale_invariant: bool = option(False, "the variant whose scale of weights has no effect")
    positions: str = option("sinusoidal", "how attention tells places", choices=POSITIONS)


@dataclasses.dataclass(frozen=True)
class LoraOptions:
    """Low-rank corrections that train in the place of the model's matrices.

    Attributes:
      rank: Columns of A and rows of B.
      alpha: The correction is multiplied by alpha / rank.
      include: Found anywhere in the names of the matrices.
    """

    rank: int = option(0, "of corrections to frozen matrices; 0: none", minimum=0)
    alpha: float = option(16.0, "a correction is multiplied by alpha / rank", minimum=0)
    include: str = option("", "regular expression: matrices that are corrected; empty: all")

    @property
    def scale(self) -> float:
        """What A B is multiplied by; needs a rank."""
        return self.alpha / self.rank
