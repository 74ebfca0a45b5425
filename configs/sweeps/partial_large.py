"""Partial training of the large Transformer: policies by fractions, and with codecs."""

from configs.sweeps import common
from tff_lm.program.sweep import Sweep


def get_sweep() -> Sweep:
    return Sweep(
        title="Partial training of the large Transformer",
        description="Equal rounds, cohorts and learning rates; what a client trains, and hence "
        "uploads, differs. `full` trains everything and uploads float32.",
        base={"model.name": "transformer_large", **common.length(30)},
        runs=common.partial_runs(),
        baseline="full",
    )
