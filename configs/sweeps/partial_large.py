"""Partial training of the large Transformer: policies by fractions, and with codecs."""

from configs.sweeps import common
from tff_lm.config.option import Value
from tff_lm.sweep import Sweep


def _blocks(fraction: float) -> dict[str, Value]:
    """Embedding always trains; embedding and attention together are 40% of this model."""
    return common.partial("per_client_per_round", fraction, include="block")


def get_sweep() -> Sweep:
    return Sweep(
        title="Partial training of the large Transformer",
        description="Equal rounds, cohorts and learning rates; what a client trains, and hence "
        "uploads, differs. `full` trains everything and uploads float32. Under `blocks` the "
        "embedding, 10%, always trains. At this length the model knows little more than how often "
        "words occur, and what matters is when the embedding trains: not at all, or for a part of "
        "the rounds, costs most. Measured on 50 sentences of each person. Seconds are of two runs "
        "at a time, side by side.",
        base={
            "model.name": "transformer_large",
            **common.length(30),
            **common.rates(client=0.03, server=0.001),
            "evaluation.examples_per_client": 50,
        },
        runs={
            **common.partial_runs(),
            "per_client_per_round_0.4_blocks": _blocks(0.4),
            # 8 bits and their ranges: 0.4 would be 9.8 times less than float32, this is 10.06.
            "per_client_per_round_0.39_blocks_uniform_8": common.coded(_blocks(0.39), "upload_8"),
        },
        baseline="full",
    )
