"""What the sweeps of the chat task share."""

from collections.abc import Mapping

from configs.paper._rows import QUANTIZATION
from tff_lm.config.option import Value


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


def coded(run: Mapping[str, Value], row: str, **options: Value) -> dict[str, Value]:
    """A run whose uploads go through the codec of a row of the paper's quantization table."""
    return {**run, **QUANTIZATION[row], **options}


def partial(policy: str, fraction: float, include: str = "") -> dict[str, Value]:
    """A client trains `fraction` of the parameters, chosen by `policy` among what `include` finds.

    What it does not find always trains, and counts.
    """
    return {
        "partial.policy": policy,
        "partial.fraction": fraction,
        **({"partial.include": include} if include else {}),
    }
