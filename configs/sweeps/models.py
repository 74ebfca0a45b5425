"""The five models, in float32 and with the paper's efficient combination."""

from configs.sweeps import common
from tff_lm.program.sweep import Sweep

_MODELS = (
    "lstm_small",
    "transformer_small",
    "lstm_large",
    "transformer_large",
    "conformer_large",
)
# The headline is about these.
_EFFICIENT = ("transformer_large", "conformer_large")


def get_sweep() -> Sweep:
    return Sweep(
        title="The five models on the chat task",
        description="FedAdam with equal rounds and cohorts. `efficient`: each client trains a "
        "random 40% of the parameters in a round; 8 bits a value travel in both directions.",
        base=common.length(150),
        runs={
            **{name: {"model.name": name} for name in _MODELS},
            **{
                f"{name}_efficient": {"model.name": name, **common.EFFICIENT} for name in _EFFICIENT
            },
        },
        seeds=(0, 1),
        baseline="lstm_large",
    )
