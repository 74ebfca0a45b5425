"""What helps where each client trains a random 40%: rates, and which matrices take part."""

from collections.abc import Mapping

from configs.sweeps import common
from tff_lm.config.option import Value
from tff_lm.program.sweep import Sweep

_STARTING_POINTS: Mapping[str, Mapping[str, Value]] = {
    "full": {},
    "any_matrix": common.partial("per_client_per_round", 0.4),
    "blocks": common.partial("per_client_per_round", 0.4, include="block"),
    "feed_forward": common.partial("per_client_per_round", 0.4, include="feed_forward"),
}
_RATES = {
    "": common.rates(client=0.1, server=0.01),
    "-server_0.005": common.rates(client=0.1, server=0.005),
    "-server_0.02": common.rates(client=0.1, server=0.02),
    "-client_0.2": common.rates(client=0.2, server=0.01),
}


def get_sweep() -> Sweep:
    return Sweep(
        title="Partial training: rates and candidates",
        description="The small Transformer; each client trains a random 40% in a round. Of the "
        "parameters, `blocks` always trains the embedding, `feed_forward` attention as well, and "
        "correspondingly less of the other matrices.",
        base={"model.name": "transformer_small", **common.length(60)},
        runs={
            f"{name}{suffix}": {**point, **rates}
            for name, point in _STARTING_POINTS.items()
            for suffix, rates in _RATES.items()
        },
        baseline="full",
    )
