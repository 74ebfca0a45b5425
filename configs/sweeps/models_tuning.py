"""Learning rates of each model; the best of each go into models.py."""

from configs._paper_rows import MODELS
from configs.sweeps import common
from tff_lm.sweep import Sweep

# Of the clients and of the server: one point, and what a step to each side of it does.
_RATES = ((0.1, 0.003), (0.03, 0.003), (0.3, 0.003), (0.1, 0.001), (0.1, 0.01))


def get_sweep() -> Sweep:
    return Sweep(
        title="Learning rates of the models",
        description="FedAdam in float32 from the pre-trained models of “The five models on the "
        "chat task”, Transformers with sinusoidal positions; its rates are those with the lowest "
        "validation perplexity here. 20 rounds of equal cohorts, one seed, every model with the "
        "same rates. A dash is a run that diverged. Measured on 50 sentences of each person.",
        base={**common.length(20), "evaluation.examples_per_client": 50},
        runs={
            f"{model}-{client}-{server}": {
                **common.pretrained(model),
                **common.rates(client, server),
            }
            for model in MODELS
            for client, server in _RATES
        },
        pretrainings=common.PRETRAININGS,
        columns=("validation_perplexity", "token_perplexity", "upload_per_client", "rounds"),
    )
