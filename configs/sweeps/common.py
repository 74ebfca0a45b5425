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


# What the claim of a tenth of the upload compares: these need more than one seed.
HEADLINE = ("full", "per_client_per_round_0.4_uniform_8")


def partial_runs() -> dict[str, Mapping[str, Value]]:
    """Every policy at every fraction, against full training; and one of them with codecs."""
    chosen = _partial("per_client_per_round", 0.4)
    return {
        "full": {},
        **{
            f"{policy}_{fraction}": _partial(policy, fraction)
            for policy in ("fixed", "per_round", "per_client_per_round")
            for fraction in (0.6, 0.4, 0.2)
        },
        "per_client_per_round_0.4_uniform_8": {**chosen, **QUANTIZATION["upload_8"]},
        # The same model to the bit: what is coded without loss is the packed levels.
        "per_client_per_round_0.4_uniform_8_entropy": {
            **chosen,
            **QUANTIZATION["upload_8"],
            "upload.entropy": True,
        },
        "per_client_per_round_0.4_drive_1": {**chosen, **QUANTIZATION["upload_drive_scaled"]},
    }


def _partial(policy: str, fraction: float) -> dict[str, Value]:
    """A client trains `fraction` of the parameters, chosen by `policy`."""
    return {"partial.policy": policy, "partial.fraction": fraction}
