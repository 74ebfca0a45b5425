"""The five models in float32, and the large ones with the paper's combination, up to 40x less."""

from configs._paper_rows import COMBINATION, LARGE, MODELS, QUANTIZATION, Row
from configs.sweeps import common
from tff_lm.config.option import Value
from tff_lm.sweep import Claim, Sweep

# Of the clients and of the server: the best of models_tuning.py.
_RATES = {
    "lstm_small": (0.1, 0.01),
    "transformer_small": (0.1, 0.01),
    "lstm_large": (0.1, 0.003),
    "transformer_large": (0.1, 0.003),
    "conformer_large": (0.1, 0.003),
}

# An LSTM has four matrices, too few for clients to draw among; three bits a value are a tenth, too.
_LSTM_EFFICIENT: Row = {
    **MODELS["lstm_large"],
    **QUANTIZATION["upload_eden_3"],
    **QUANTIZATION["download_8"],
}

# The pre-trainings of models that do not start from the one of their own name.
_STARTS = {model: f"{model}_rotary" for model in ("transformer_small", "transformer_large")}

_ROWS: dict[str, Row] = {
    **MODELS,
    **{name: row for name, row in COMBINATION.items() if not name.endswith("_70x")},
    "lstm_large_efficient": _LSTM_EFFICIENT,
}
_SINUSOIDAL = {f"{model}_sinusoidal": MODELS[model] for model in _STARTS}

_DESCRIPTION = (
    "All models begin with central training on the same 32,000 sentences of State of the Union "
    "addresses, then FedAdam trains them, with equal rounds and cohorts and each with the learning "
    "rates that were best for it. `efficient`: each client trains a random 34% of the parameters "
    "in a round, always with the embedding, downloads 8 bits a value and uploads 8, or for 20x "
    "and 40x less rotated 4 and EDEN's 2; the LSTM's trains all, and uploads EDEN's 3 bits. "
    "Learning rates were not tuned again for these. Transformers have rotary positions, which "
    "their `sinusoidal` rows, as in the paper, do not; the small one's pre-training had the rate "
    "0.006 with rotary positions and 0.002 without, so its two rows differ by both. Measured on "
    "100 sentences of each person. Seconds are of two runs at a time, side by side, some of them "
    "beside other work.\n\n"
    "The paper's claims are of thousands of rounds on Stack Overflow; 40 rounds of six people are "
    "less than half a pass over the chat task, where LSTMs lead, as they do after the same "
    "pre-training. Where a claim does not hold, this was tried: up to five pairs of rates for "
    "every model (“Learning rates of the models”); rotary positions, other rates and other initial "
    "scales in pre-training (“Central pre-training of the models”); three times as many rounds "
    "(“The small models, three times as long”); and quantization alone in the place of the "
    "combination, on the large LSTM."
)


def get_sweep() -> Sweep:
    return Sweep(
        title="The five models on the chat task",
        description=_DESCRIPTION,
        base={**common.length(40), "evaluation.examples_per_client": 100},
        runs={name: options(name) for name in (*_ROWS, *_SINUSOIDAL)},
        pretrainings=common.PRETRAININGS,
        seeds=(0, 1),
        seeds_of=dict.fromkeys(_SINUSOIDAL, (0,)),
        baseline="lstm_large",
        claims=tuple(_claims()),
    )


def options(experiment: str) -> dict[str, Value]:
    """All that one of the experiments changes in the preset, but for its length."""
    row = _SINUSOIDAL.get(experiment) or _ROWS[experiment]
    model = str(row["model.name"])
    start = model if experiment in _SINUSOIDAL else _STARTS.get(model, model)
    return {**row, **common.pretrained(start), **common.rates(*_RATES[model])}


def _claims() -> list[Claim]:
    """Those of the paper, of Ro et al. 2022: its abstract."""
    large = [Claim(model, "lstm_large") for model in LARGE]
    small = [Claim(f"{model}_efficient", "lstm_small", 0.89) for model in LARGE]
    less = [
        Claim(f"{model}_efficient{suffix}", "lstm_large", 1.0, factor)
        for suffix, factor in (("", 10), ("_20x", 20), ("_40x", 40))
        for model in LARGE
    ]
    return [*large, *small, *less, Claim("lstm_large_efficient", "lstm_large", 1.0, 10)]
