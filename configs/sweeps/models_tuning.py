"""Learning rates of each model; the best of each go into models.py."""

from configs.paper._rows import MODELS
from configs.sweeps import common
from tff_lm.program.sweep import Sweep, grid

# The wider a model, the smaller the rates at which it is stable.
_CLIENT, _SERVER = (0.03, 0.1, 0.3), (0.001, 0.003, 0.01)


def get_sweep() -> Sweep:
    return Sweep(
        title="Learning rates of the models",
        description="FedAdam in float32, 20 rounds of equal cohorts, one seed; every model has the "
        "same grid. A model's lowest validation perplexity decides its rates in “The five models "
        "on the chat task”. A dash is a run that diverged. Measured on 50 sentences of each "
        "person.",
        base={**common.length(20), **common.OFTEN_EVALUATED},
        runs={
            name: run
            for model in MODELS
            for name, run in grid(
                model,
                {
                    "model.name": (model,),
                    "algorithm.client_learning_rate": _CLIENT,
                    "algorithm.server_learning_rate": _SERVER,
                },
            ).items()
        },
        columns=("validation_perplexity", "token_perplexity", "upload_per_client", "rounds"),
    )
