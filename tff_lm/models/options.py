"""Options of a model."""

from __future__ import annotations

import dataclasses

from tff_lm.models.registry import ACTIVATIONS, MIXERS, MODELS, NORMS, POSITIONS
from tff_lm.options import option

# The activation that a body has by its paper.
OWN = "own"


@dataclasses.dataclass(frozen=True)
class ModelOptions:
    """The architecture."""

    name: str = option("transformer_small", "architecture and size", choices=MODELS)
    dropout: float = option(0.0, "dropout rate while training", minimum=0, maximum=0.95)
    scale_invariant: bool = option(False, "the variant whose scale of weights has no effect")
    positions: str = option("sinusoidal", "how attention tells places", choices=POSITIONS)
    # Of every model.
    unigram_bias: bool = option(
        False,
        "bias of the logits, at first log frequencies: counted in the training text, which a "
        "deployment must replace by public text (warm_start) or a private count",
    )
    embedding_scale: float = option(
        0.0, "factor of the embedding as input; 0: square root of its width", minimum=0
    )
    logit_cap: float = option(0.0, "c of c tanh(logits / c), before the bias; 0: none", minimum=0)
    # Of models with attention.
    subtract_input: bool = option(
        False, "whether logits come from what the blocks changed, without the token's embedding"
    )
    final_gain: float = option(1.0, "initial gain of the last norm", minimum=0)
    alternate_gain: bool = option(
        False, "whether that gain alternates in sign, so that a token's own logit starts near 0"
    )
    zero_init: bool = option(False, "whether residual branches start at zero")
    activation: str = option(OWN, "of feed-forward layers", choices=(OWN, *ACTIVATIONS))
    norm: str = option("layer", "kind of norm before each branch", choices=NORMS)
    biases: bool = option(True, "whether projections have biases")
    qk_norm: bool = option(False, "whether queries and keys are brought to unit size")
    value_residual: bool = option(False, "whether values are mixed with the first block's")
    local_mixing: str = option("none", "of a token with those just before it", choices=MIXERS)


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
