"""Partial training per client with four times the cohort: each matrix has more who train it."""

from configs.sweeps import common
from tff_lm.sweep import Sweep


def get_sweep() -> Sweep:
    own = common.partial("per_client_per_round", 0.36, include="feed_forward")
    return Sweep(
        title="A tenth of the upload with a cohort of 24",
        description="Each client trains embedding, attention and a random two of the twelve "
        "feed-forward matrices, 36% of the parameters, and uploads 8 bits a value: as with 6 "
        "clients in “A tenth of the upload, small Transformer”, but here a matrix is trained by "
        "four clients of a round on average, not by one. That is enough for one seed, and not for "
        "the other.",
        base={
            "model.name": "transformer_small",
            **common.length(30),
            **common.rates(client=0.1, server=0.01),
            "federated.clients_per_round": 24,
            "evaluation.every": 10,
        },
        runs={"full": {}, "per_client_per_round_0.36_uniform_8": common.coded(own, "upload_8")},
        seeds=(0, 1),
        baseline="full",
    )
