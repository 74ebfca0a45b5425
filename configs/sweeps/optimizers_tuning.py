"""Learning rates of each federated algorithm; the best of each go into optimizers.py."""

from collections.abc import Mapping, Sequence

from configs.sweeps import common
from tff_lm.config.option import Value
from tff_lm.sweep import Sweep, grid

_CLIENT, _SERVER = "algorithm.client_learning_rate", "algorithm.server_learning_rate"
_OPTIMIZER, _MU = "algorithm.client_optimizer", "algorithm.proximal_mu"


def get_sweep() -> Sweep:
    return Sweep(
        title="Learning rates of the federated algorithms",
        description="The small Transformer, one local epoch, 40 rounds of equal cohorts, one seed. "
        "An algorithm's lowest validation perplexity decides its rates in “Federated algorithms "
        "by local epochs”. A dash is a run that diverged. `faster`, `fastest` and `too_fast` are "
        "server rates of 2, 4 and 8 on Mime's or MimeLite's updates, at client rates of 0.1 "
        "(momentum) and 0.003 (Adam); without, it is 1. FedProx' server rate is 2. Two seeds of "
        "one setting are up to a tenth apart at this length. Seconds do not compare: some were "
        "of suspended runs.",
        base={"model.name": "transformer_small", **common.length(40)},
        runs={
            **_runs("fed_avg", {_CLIENT: (0.1, 0.3, 1.0), _SERVER: (1.0, 2.0, 4.0)}),
            **_runs("fed_adam", {_CLIENT: (0.03, 0.1, 0.3), _SERVER: (0.003, 0.005, 0.01, 0.02)}),
            **_runs("fed_prox", {_CLIENT: (0.1, 0.3), _SERVER: (2.0,), _MU: (0.001, 0.01, 0.1)}),
            **_mime("mime_lite", {"momentum": (0.03, 0.1, 0.3), "adam": (0.001, 0.003, 0.01)}),
            # The best two with larger steps of the server, and what was then best; so for Mime.
            **_mime("mime_lite-faster", {"momentum": (0.1,), "adam": (0.003,)}, server=2.0),
            **_mime("mime_lite-fastest", {"adam": (0.003,)}, server=4.0),
            **_mime("mime_lite-too_fast", {"adam": (0.003,)}, server=8.0),
            **_mime("mime-faster", {"adam": (0.003,)}, server=2.0),
            **_mime("mime-fastest", {"adam": (0.003,)}, server=4.0),
        },
        columns=("validation_perplexity", "token_perplexity", "upload_per_client", "rounds"),
    )


def _runs(name: str, choices: Mapping[str, Sequence[Value]]) -> dict[str, dict[str, Value]]:
    return grid(name, {"algorithm.name": (name,), **choices})


def _mime(
    name: str, rates: Mapping[str, tuple[float, ...]], server: float = 1.0
) -> dict[str, dict[str, Value]]:
    """Base optimizers with their clients' rates, which differ in size."""
    runs: dict[str, dict[str, Value]] = {}
    for optimizer, client in rates.items():
        choices: dict[str, Sequence[Value]] = {
            "algorithm.name": (name.partition("-")[0],),
            _OPTIMIZER: (optimizer,),
            _CLIENT: client,
            _SERVER: (server,),
        }
        runs |= grid(f"{name}-{optimizer}", choices)
    return runs
