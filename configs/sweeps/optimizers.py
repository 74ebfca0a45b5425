"""Federated algorithms by passes over a client's sentences in a round."""

from configs.sweeps import common
from tff_lm.program.sweep import Sweep

# The optimizer whose state Mime's clients apply.
_MIME_BASE = {"algorithm.client_optimizer": "adam"}
# Starting points; the best of optimizers_tuning.py at one local epoch belongs here.
_RATES = {
    "fed_avg": common.rates(client=1.0, server=1.0),
    "fed_adam": common.rates(client=0.1, server=0.005),
    "fed_prox": {**common.rates(client=1.0, server=1.0), "algorithm.proximal_mu": 0.01},
    "mime_lite": {**common.rates(client=0.003, server=1.0), **_MIME_BASE},
    "mime": {**common.rates(client=0.003, server=1.0), **_MIME_BASE},
}
_LOCAL_EPOCHS = (1, 2, 5)


def get_sweep() -> Sweep:
    return Sweep(
        title="Federated algorithms by local epochs",
        description="The small Transformer with equal rounds and cohorts; each algorithm with its "
        "own learning rates, the same at every number of local epochs.",
        base={"model.name": "transformer_small", **common.length(100), "evaluation.every": 5},
        runs={
            f"{name}-epochs_{epochs}": {
                "algorithm.name": name,
                "federated.local_epochs": epochs,
                **rates,
            }
            for epochs in _LOCAL_EPOCHS
            for name, rates in _RATES.items()
        },
        baseline="fed_avg-epochs_1",
    )
