"""A tenth of the upload by partial training at 8 bits, over several seeds.

At the rates of the preset, which learn more slowly than those of partial_small.py and depend far
less on the seed: there, two seeds of one setting are up to a tenth apart after 60 rounds.
"""

from configs.sweeps import common
from tff_lm.config.option import Value
from tff_lm.program.sweep import Sweep


def get_sweep() -> Sweep:
    def run(fraction: float, **options: Value) -> dict[str, Value]:
        part = common.partial("per_client_per_round", fraction, include="feed_forward")
        return common.coded(part, "upload_8", **options)

    return Sweep(
        title="A tenth of the upload, small Transformer",
        description="Equal rounds, cohorts and learning rates. Each client trains embedding, "
        "attention and a random part of the feed-forward matrices, and uploads 8 bits a value: of "
        "twelve equal matrices two, which makes 36% of the parameters, or three, which makes 42% "
        "(0.4 lies between), the latter with lossless entropy coding.",
        base={"model.name": "transformer_small", **common.length(100)},
        runs={
            "full": {},
            "per_client_per_round_0.36_uniform_8": run(0.36),
            "per_client_per_round_0.4_uniform_8_entropy": run(0.4, **{"upload.entropy": True}),
        },
        seeds=(0, 1),
        baseline="full",
    )
