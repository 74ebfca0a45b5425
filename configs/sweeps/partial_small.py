"""Partial training of the small Transformer: policies by fractions, and with codecs."""

from configs.sweeps import common
from tff_lm.program.sweep import Sweep


def get_sweep() -> Sweep:
    return Sweep(
        title="Partial training of the small Transformer",
        description="Equal rounds, cohorts and learning rates; what a client trains, and hence "
        "uploads, differs. `full` trains everything and uploads float32.",
        base={
            "model.name": "transformer_small",
            **common.length(60),
            **common.rates(client=0.1, server=0.01),  # ahead of 0.005 at 40 rounds
        },
        runs={
            **common.partial_runs(),
            # The same model to the bit: the packed levels are coded without loss.
            f"{common.HEADLINE[1]}_entropy": common.coded_partial(
                "upload_8", **{"upload.entropy": True}
            ),
            "per_client_per_round_0.4_drive_1": common.coded_partial("upload_drive_scaled"),
        },
        seeds_of=dict.fromkeys(common.HEADLINE, (0, 1)),
        baseline="full",
    )
