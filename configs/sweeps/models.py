"""The five models in float32, and the large ones with the paper's combination, up to 70x less."""

from configs.paper._rows import COMBINATION, MODELS
from configs.sweeps import common
from tff_lm.program.sweep import Sweep


def get_sweep() -> Sweep:
    return Sweep(
        title="The five models on the chat task",
        description="FedAdam with equal rounds and cohorts. `efficient`: each client trains a "
        "random 39% of the parameters in a round, always with the embedding, downloads 8 bits a "
        "value and uploads 8, or at 20x, 40x and 70x less than float32 rotated 4, EDEN's 2 and "
        "DRIVE's 1.",
        base=common.length(150),
        runs={**MODELS, **COMBINATION},
        seeds=(0, 1),
        baseline="lstm_large",
    )
