"""What the sweeps of the chat task share."""

from collections.abc import Mapping

from configs._paper_rows import MODELS, QUANTIZATION, TRANSFER
from tff_lm.config.option import Value
from tff_lm.sweep import Pretraining

# For curves: on 50 sentences of each person, lest evaluations take longer than training.
OFTEN_EVALUATED: dict[str, Value] = {
    "evaluation.every": 5,
    "evaluation.examples_per_client": 50,
}


def length(rounds: int) -> dict[str, Value]:
    """Runs of so many rounds, with the preset's schedule shortened to them."""
    return {
        "federated.rounds": rounds,
        "server_schedule.warmup": 10,
        "server_schedule.decay": rounds - 10,
        "evaluation.every": 20,
        # At the end, or on a signal: dozens of runs with three checkpoints each would fill a disk.
        "checkpoint.every": rounds,
    }


def rates(client: float, server: float) -> dict[str, Value]:
    """Learning rates of the clients' and of the server's optimizer."""
    return {
        "algorithm.client_learning_rate": client,
        "algorithm.server_learning_rate": server,
    }


def partial_runs() -> dict[str, Mapping[str, Value]]:
    """Every policy at every fraction, of all matrices, against full training."""
    return {
        "full": {},
        **{
            f"{policy}_{fraction}": partial(policy, fraction)
            for policy in ("fixed", "per_round", "per_client_per_round")
            for fraction in (0.6, 0.4, 0.2)
        },
    }


def coded(run: Mapping[str, Value], row: str) -> dict[str, Value]:
    """A run whose uploads go through the codec of a row of the paper's quantization table."""
    return {**run, **QUANTIZATION[row]}


def partial(policy: str, fraction: float, include: str = "") -> dict[str, Value]:
    """A client trains `fraction` of the parameters, chosen by `policy` among what `include` finds.

    What it does not find always trains, and counts.
    """
    return {
        "partial.policy": policy,
        "partial.fraction": fraction,
        **({"partial.include": include} if include else {}),
    }


def starts_description(model: str, rounds: int, options: str = "") -> str:
    """What a sweep of `starts` compares, after `rounds` rounds of pre-training."""
    return (
        "Equal rounds, cohorts and learning rates: from scratch, or from central training on "
        f"{1600 * rounds:,} sentences of State of the Union addresses. `all` begins with all "
        "weights, `embeddings`, `attention` and `ffn` with a part, and everything trains. Under "
        "LoRA corrections of rank 8, norms and biases train and are uploaded; `top_k` uploads a "
        "quarter of each correction (after Kuo et al. 2024). Measured on 50 sentences of each "
        "person. Seconds are of two or three runs at a time, side by side.\n\n"
        f"The pre-training, which may be stopped after {rounds} rounds: `python -m "
        f"bin.pretrain --config=configs/pretrain_sotu.py --workdir=runs/pretrain/{model} "
        f"--config.model.name={model} --config.checkpoint.keep=99{options}`."
    )


def starts(model: str, rounds: int) -> dict[str, dict[str, Value]]:
    """From scratch, and from all or parts of `model` after `rounds` rounds of pre-training."""
    source: dict[str, Value] = {
        "warm_start.checkpoint": f"runs/pretrain/{model}",
        "warm_start.which": str(rounds),
    }
    return {
        name: {"model.name": model, **row, **(source if "warm_start.checkpoint" in row else {})}
        for name, row in TRANSFER.items()
    }


def pretrained(start: str) -> dict[str, Value]:
    """The model that the one of `PRETRAININGS` of this name leaves."""
    return {**_MODELS[start], "warm_start.checkpoint": _folder(start)}


def _folder(start: str) -> str:
    return f"runs/pretrain/models/{start}"


# What trains, by the name of the pre-training.
_MODELS: dict[str, Mapping[str, Value]] = {
    **MODELS,
    **{
        f"{model}_rotary": {"model.name": model, "model.positions": "rotary"}
        for model in ("transformer_small", "transformer_large")
    },
}

# Where it is not the 0.002 of all others; pretraining.py says what was tried.
_LEARNING_RATES = {"transformer_small_rotary": 0.006}

# Half a pass, 32,000 sentences.
_STEPS = 1000

# In one thread, on whose number the bits depend.
STARTS: dict[str, dict[str, Value]] = {
    start: {
        **options,
        "pretrain.steps": _STEPS,
        "pretrain.parts": 1,
        "pretrain.learning_rate": _LEARNING_RATES.get(start, 0.002),
    }
    for start, options in _MODELS.items()
}

# What the comparisons of models start from.
PRETRAININGS = {_folder(start): Pretraining(_STEPS, options) for start, options in STARTS.items()}
