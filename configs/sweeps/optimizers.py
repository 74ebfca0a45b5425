"""Federated algorithms by passes over a client's sentences in a round."""

from configs.sweeps import common
from tff_lm.config.option import Value
from tff_lm.sweep import Sweep

# Rates of the clients and of the server: the best of optimizers_tuning.py, at one local epoch.
_RATES = {
    "fed_avg": (0.3, 2.0),
    "fed_adam": (0.1, 0.01),
    "fed_prox": (0.3, 2.0),
    "mime_lite": (0.003, 4.0),
    "mime": (0.003, 4.0),
}
# Mime's clients apply the state of an optimizer.
_OPTIONS: dict[str, dict[str, Value]] = {
    # 0.001 was as good at one epoch, and has no effect at all.
    "fed_prox": {"algorithm.proximal_mu": 0.01},
    "mime_lite": {"algorithm.client_optimizer": "adam"},
    "mime": {"algorithm.client_optimizer": "adam"},
}


def get_sweep() -> Sweep:
    return Sweep(
        title="Federated algorithms by local epochs",
        description="The small Transformer with equal rounds and cohorts; each algorithm with the "
        "learning rates that were best for it at one local epoch, and with 0.3 times the "
        "clients' rate at five, where more steps carry a client further. Two seeds of one setting "
        "are up to a tenth apart at this length. Measured on 50 sentences of each person. Seconds "
        "are of two or three runs at a time, side by side.",
        base={"model.name": "transformer_small", **common.length(40), **common.OFTEN_EVALUATED},
        runs={
            **_with_epochs(1),
            **_with_epochs(2),
            **_with_epochs(5),
            **_with_epochs(5, "-lower_rate", client_factor=0.3),
        },
        baseline="fed_avg-epochs_1",
        target_perplexities=(600.0, 500.0, 420.0),
    )


def _with_epochs(
    epochs: int, suffix: str = "", client_factor: float = 1.0
) -> dict[str, dict[str, Value]]:
    """Every algorithm, with its clients' rate times `client_factor`."""
    return {
        f"{name}-epochs_{epochs}{suffix}": {
            "algorithm.name": name,
            "federated.local_epochs": epochs,
            **common.rates(round(client * client_factor, 6), server),
            **_OPTIONS.get(name, {}),
        }
        for name, (client, server) in _RATES.items()
    }
