"""Learning rates of each federated algorithm; the best of each go into optimizers.py."""

from collections.abc import Mapping, Sequence

from configs.sweeps import common
from tff_lm.config.option import Value
from tff_lm.program.sweep import Sweep, grid

_CLIENT, _SERVER = "algorithm.client_learning_rate", "algorithm.server_learning_rate"
_OPTIMIZER, _MU = "algorithm.client_optimizer", "algorithm.proximal_mu"


def get_sweep() -> Sweep:
    return Sweep(
        title="Learning rates of the federated algorithms",
        description="The small Transformer, one local epoch, equal rounds and cohorts.",
        base={"model.name": "transformer_small", **common.length(40)},
        runs={
            **_runs("fed_avg", {_CLIENT: (0.1, 0.3, 1.0), _SERVER: (1.0, 2.0, 4.0)}),
            **_runs("fed_adam", {_CLIENT: (0.03, 0.1, 0.3), _SERVER: (0.003, 0.005, 0.01, 0.02)}),
            **_runs("fed_prox", {_CLIENT: (0.1, 0.3), _SERVER: (2.0,), _MU: (0.001, 0.01, 0.1)}),
            **_mime_runs("mime_lite"),
            **_mime_runs("mime"),
        },
    )


def _runs(name: str, choices: Mapping[str, Sequence[Value]]) -> dict[str, dict[str, Value]]:
    return grid(name, {"algorithm.name": (name,), **choices})


def _mime_runs(name: str) -> dict[str, dict[str, Value]]:
    """Both base optimizers, whose rates differ in size."""
    runs: dict[str, dict[str, Value]] = {}
    for optimizer, rates in (("momentum", (0.03, 0.1, 0.3)), ("adam", (0.001, 0.003, 0.01))):
        choices: dict[str, Sequence[Value]] = {
            "algorithm.name": (name,),
            _OPTIMIZER: (optimizer,),
            _CLIENT: rates,
            _SERVER: (1.0,),
        }
        runs |= grid(f"{name}-{optimizer}", choices)
    return runs
