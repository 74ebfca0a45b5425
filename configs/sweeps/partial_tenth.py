"""A tenth of the upload, three ways: what partial training costs, and what fewer bits cost."""

from configs.sweeps import common
from tff_lm.config.option import Value
from tff_lm.sweep import Sweep


def get_sweep() -> Sweep:
    def part(policy: str) -> dict[str, Value]:
        return common.coded(common.partial(policy, 0.36, include="feed_forward"), "upload_8")

    return Sweep(
        title="A tenth of the upload, small Transformer",
        description="Equal rounds, cohorts and learning rates. Under partial training embedding, "
        "attention and two of the twelve feed-forward matrices train, 36% of the parameters (three "
        "would be 42%), at 8 bits a value: `per_client_per_round` each client's own two, `fixed` "
        "the same for all, ever. `eden_3` trains everything, at 3 bits.\n\n"
        "Each client's own part does not stay within 2%. Of 6 clients one trains a feed-forward "
        "matrix in a round on average, and none in a third of the rounds; but a cohort of 24 (a "
        "section of its own) mends one seed alone. Also tried: all matrices or those of the blocks "
        "as candidates, other rates of server and clients (partial_tuning, partial_small), entropy "
        "coding instead of the smaller part. Three bits for everything save as much and cost less. "
        "`fixed` depends on which two it draws: seed 0 has the first layers of blocks 1 and 2.",
        base={
            "model.name": "transformer_small",
            **common.length(100),
            # The best of 0.005 and 0.01 for `full`, of 0.005, 0.01 and 0.015 for the first way.
            **common.rates(client=0.1, server=0.01),
        },
        runs={
            "full": {},
            "per_client_per_round_0.36_uniform_8": part("per_client_per_round"),
            "fixed_0.36_uniform_8": part("fixed"),
            "eden_3": common.QUANTIZATION["upload_eden_3"],
        },
        seeds=(0, 1),
        baseline="full",
    )
