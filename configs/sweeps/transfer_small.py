"""Where the small Transformer starts: from scratch, from pre-trained weights, a part, with LoRA.

Needs the pre-trained model first, by the command in its description.
"""

from configs.sweeps import common
from tff_lm.sweep import Sweep

_MODEL = "transformer_small"
# In rounds of 1,600 sentences.
_PRETRAINED = 65


def get_sweep() -> Sweep:
    return Sweep(
        title="Where the small Transformer starts",
        description=common.starts_description(_MODEL, _PRETRAINED, " --config.pretrain.passes=4"),
        base={
            **common.length(60),
            **common.rates(client=0.1, server=0.01),
            **common.OFTEN_EVALUATED,
        },
        runs=common.starts(_MODEL, _PRETRAINED),
        # What the claim of half the rounds compares.
        seeds_of={"scratch": (0, 1), "all": (0, 1)},
        baseline="scratch",
        target_experiments=("scratch",),
    )
