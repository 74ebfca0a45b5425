"""The five models in float32, and the large ones with the paper's combination, up to 70x less."""

from configs.paper._rows import COMBINATION, LARGE, MODELS
from configs.sweeps import common
from tff_lm.config.option import Value
from tff_lm.program.sweep import Claim, Sweep

# Of the clients and of the server: the best of models_tuning.py.
_RATES = {
    "lstm_small": (0.1, 0.01),
    "transformer_small": (0.1, 0.01),
    "lstm_large": (0.1, 0.003),
    "transformer_large": (0.1, 0.003),
    "conformer_large": (0.1, 0.003),
}

# The pre-trainings of models that do not start from the one of their own name.
_STARTS = {model: f"{model}_rotary" for model in ("transformer_small", "transformer_large")}


def get_sweep() -> Sweep:
    return Sweep(
        title="The five models on the chat task",
        description="All models begin with central training on the same 32,000 sentences of State "
        "of the Union addresses, then FedAdam trains them, with equal rounds and cohorts and each "
        "with the learning rates that were best for it. `efficient`: each client trains a random "
        "34% of the parameters in a round, always with the embedding, downloads 8 bits a value and "
        "uploads 8, or for 20x, 40x and 70x less rotated 4, EDEN's 2 and DRIVE's 1. Learning rates "
        "were not tuned again for these. Measured on 100 sentences of each person. Seconds are of "
        "two runs at a time, side by side.",
        base={**common.length(40), "evaluation.examples_per_client": 100},
        runs={
            name: {**row, **_trained(str(row["model.name"]))}
            for name, row in {**MODELS, **COMBINATION}.items()
        }
        | {
            f"{model}_sinusoidal": {**common.pretrained(model), **common.rates(*_RATES[model])}
            for model in _STARTS
        },
        pretrainings=common.PRETRAININGS,
        seeds=(0, 1),
        baseline="lstm_large",
        claims=tuple(_claims()),
    )


def _trained(model: str) -> dict[str, Value]:
    return {**common.pretrained(_STARTS.get(model, model)), **common.rates(*_RATES[model])}


def _claims() -> list[Claim]:
    """Those of the paper, of Ro et al. 2022: its abstract."""
    large = [Claim(model, "lstm_large") for model in LARGE]
    small = [Claim(f"{model}_efficient", "lstm_small", 0.89) for model in LARGE]
    less = [
        Claim(f"{model}_efficient{suffix}", "lstm_large", 1.0, factor)
        for suffix, factor in (("", 10), ("_20x", 20), ("_40x", 40), ("_70x", 70))
        for model in LARGE
    ]
    return [*large, *small, *less]
