"""The small models for three times as many rounds: whether the order of models.py stays."""

from configs.sweeps import common, models
from tff_lm.sweep import Sweep

_MODELS = ("lstm_small", "transformer_small")


def get_sweep() -> Sweep:
    return Sweep(
        title="The small models, three times as long",
        description="As “The five models on the chat task”, in float32, with 120 rounds instead of "
        "40: whether the Transformer, which learns more slowly, comes nearer to the LSTM. The "
        "learning rates are those of 40 rounds. Measured on 100 sentences of each person. Seconds "
        "are of two runs at a time, side by side.",
        base={
            **common.length(120),
            "evaluation.every": 40,
            "evaluation.examples_per_client": 100,
        },
        runs={name: models.options(name) for name in _MODELS},
        pretrainings=common.PRETRAININGS,
        baseline="lstm_small",
    )
