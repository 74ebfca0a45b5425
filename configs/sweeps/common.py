"""What the sweeps of the chat task share: lengths of runs, and the paper's levers by name."""

from collections.abc import Mapping

from tff_lm.config.option import Value

Options = Mapping[str, Value]


def length(rounds: int) -> dict[str, Value]:
    """Runs of so many rounds, with the preset's schedule shortened to them."""
    return {
        "federated.rounds": rounds,
        "server_schedule.warmup": 10,
        "server_schedule.decay": rounds - 10,
        "evaluation.every": 20,
        "checkpoint.every": rounds,
    }


def rates(client: float, server: float) -> dict[str, Value]:
    """Learning rates of the clients' and of the server's optimizer."""
    return {
        "algorithm.client_learning_rate": client,
        "algorithm.server_learning_rate": server,
    }


# Partial training's policies, by the fraction of the parameters that is trained.
POLICIES = ("fixed", "per_round", "per_client_per_round")
FRACTIONS = (0.6, 0.4, 0.2)


def partial(policy: str, fraction: float) -> dict[str, Value]:
    """A client trains `fraction` of the parameters, chosen by `policy`."""
    return {"partial.policy": policy, "partial.fraction": fraction}


UPLOAD_8: Options = {"upload.codec": "uniform", "upload.bits": 8}
UPLOAD_ROTATED_4: Options = {
    "upload.codec": "uniform",
    "upload.bits": 4,
    "upload.rotated": True,
}
# DRIVE rotates by itself.
UPLOAD_DRIVE: Options = {"upload.codec": "drive"}
DOWNLOAD_8: Options = {"download.codec": "uniform", "download.bits": 8}

# The paper's combination: a tenth of the upload, a quarter of the download.
EFFICIENT: Options = {**partial("per_client_per_round", 0.4), **UPLOAD_8, **DOWNLOAD_8}

# What the claim of a tenth of the upload compares: these need more than one seed.
HEADLINE = ("full", "per_client_per_round_0.4_uniform_8")


def partial_runs() -> dict[str, Options]:
    """Every policy at every fraction, against full training; and one of them with codecs."""
    chosen = partial("per_client_per_round", 0.4)
    return {
        "full": {},
        **{
            f"{policy}_{fraction}": partial(policy, fraction)
            for policy in POLICIES
            for fraction in FRACTIONS
        },
        "per_client_per_round_0.4_uniform_8": {**chosen, **UPLOAD_8},
        "per_client_per_round_0.4_drive_1": {**chosen, **UPLOAD_DRIVE},
    }
