"""Partial training of the large Transformer: policies by fractions, and with codecs."""

from configs.sweeps import common
from tff_lm.program.sweep import Sweep

_TENTH = "per_client_per_round_0.4_blocks_uniform_8_entropy"


def get_sweep() -> Sweep:
    blocks = common.partial("per_client_per_round", 0.4, include="block")
    return Sweep(
        title="Partial training of the large Transformer",
        description="Equal rounds, cohorts and learning rates; what a client trains, and hence "
        "uploads, differs. `full` trains everything and uploads float32. Under `blocks` the "
        "embedding, 10%, always trains.",
        base={
            "model.name": "transformer_large",
            **common.length(40),
            **common.rates(client=0.03, server=0.001),
            "evaluation.examples_per_client": 50,
        },
        runs={
            **common.partial_runs(),
            "per_client_per_round_0.4_blocks": blocks,
            # Entropy coding is lossless: the same model as with 8 bits alone.
            _TENTH: common.coded(blocks, "upload_8", **{"upload.entropy": True}),
        },
        baseline="full",
    )
