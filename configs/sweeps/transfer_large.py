"""Where the large Transformer starts: from scratch, from pre-trained weights, a part, with LoRA.

Needs the pre-trained model first, by the command in its description.
"""

from configs.sweeps import common
from tff_lm.sweep import Sweep

_MODEL = "transformer_large"
# In rounds of 1,600 sentences.
_PRETRAINED = 20


def get_sweep() -> Sweep:
    return Sweep(
        title="Where the large Transformer starts",
        description=common.starts_description(_MODEL, _PRETRAINED, " --config.pretrain.passes=2"),
        base={
            **common.length(40),
            **common.rates(client=0.03, server=0.001),
            **common.OFTEN_EVALUATED,
        },
        runs=common.starts(_MODEL, _PRETRAINED),
        # What the claim of half the rounds compares.
        seeds_of={"scratch": (0, 1), "all": (0, 1)},
        baseline="scratch",
        target_experiments=("scratch",),
    )
