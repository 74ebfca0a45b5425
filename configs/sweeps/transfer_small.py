r"""Where the small Transformer starts: from scratch, from pre-trained weights, a part, with LoRA.

Needs 65 rounds, of 1,600 sentences each, of the pre-training:

    python -m bin.pretrain --config=configs/pretrain_sotu.py \
      --workdir=runs/pretrain/transformer_small --config.model.name=transformer_small \
      --config.checkpoint.keep=99

which may be stopped then.
"""

from configs.sweeps import common
from tff_lm.program.sweep import Sweep


def get_sweep() -> Sweep:
    return Sweep(
        title="Where the small Transformer starts",
        description=common.STARTS_DESCRIPTION,
        base={
            **common.length(60),
            **common.rates(client=0.1, server=0.01),
            **common.OFTEN_EVALUATED,
        },
        runs=common.starts("transformer_small", 65),
        # What the claim of half the rounds compares.
        seeds_of={"scratch": (0, 1), "all": (0, 1)},
        baseline="scratch",
        target_experiments=("scratch",),
    )
