"""What helps where each client trains a random 40%: rates, and which matrices take part."""

from configs.sweeps import common
from tff_lm.program.sweep import Sweep

_CHOSEN = {"partial.policy": "per_client_per_round", "partial.fraction": 0.4}
_RATES = common.rates(client=0.1, server=0.01)


def get_sweep() -> Sweep:
    return Sweep(
        title="Partial training: rates and candidates",
        description="The small Transformer; each client trains a random 40% in a round. `blocks`: "
        "the embedding is always trained, and fewer of the other matrices.",
        base={"model.name": "transformer_small", **common.length(60), **_RATES},
        runs={
            "full": {},
            "chosen": _CHOSEN,
            "chosen_blocks": {**_CHOSEN, "partial.include": "block"},
            "chosen_server_0.005": {**_CHOSEN, **common.rates(client=0.1, server=0.005)},
            "chosen_client_0.2": {**_CHOSEN, **common.rates(client=0.2, server=0.01)},
            "chosen_blocks_server_0.005": {
                **_CHOSEN,
                "partial.include": "block",
                **common.rates(client=0.1, server=0.005),
            },
        },
        baseline="full",
    )
