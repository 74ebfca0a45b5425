"""The small Transformer in bfloat16 and in float32 products."""

from configs.sweeps import common
from tff_lm.sweep import Sweep

_PRECISIONS = ("float32", "bfloat16")


def get_sweep() -> Sweep:
    return Sweep(
        title="Precision of the products",
        description="The small Transformer with equal rounds and cohorts; weights, sums and "
        "updates are float32 in both.",
        base={
            "model.name": "transformer_small",
            **common.length(60),
            **common.rates(client=0.1, server=0.01),
        },
        runs={name: {"runtime.precision": name} for name in _PRECISIONS},
        seeds=(0, 1),
        baseline="float32",
    )
