"""Partial training of the small Transformer: policies by fractions, and with codecs."""

from configs.sweeps import common
from tff_lm.config.option import Value
from tff_lm.sweep import Sweep


def _feed_forward(fraction: float) -> dict[str, Value]:
    """The best of partial_tuning.py: embedding and attention, 23%, always train."""
    return common.partial("per_client_per_round", fraction, include="feed_forward")


_NAME = "per_client_per_round_{}_feed_forward"
# Twelve equal matrices: 0.4 is met with three of them, 42%; 0.36 with two.
_PLAIN, _UNIFORM = _NAME.format(0.4), _NAME.format(0.36) + "_uniform_8"
_ENTROPY = f"{_PLAIN}_uniform_8_entropy"


def get_sweep() -> Sweep:
    return Sweep(
        title="Partial training of the small Transformer",
        description="Equal rounds, cohorts and learning rates; what a client trains, and hence "
        "uploads, differs. `full` trains everything and uploads float32. Under `feed_forward` "
        "embedding and attention always train, and the draw is among the other matrices. Two seeds "
        "of one setting are up to a tenth apart at this length: smaller differences say nothing. "
        "Seconds do not compare, for the runs shared the machine and some were suspended; "
        "docs/performance.md has those of an idle machine.",
        base={
            "model.name": "transformer_small",
            **common.length(60),
            **common.rates(client=0.1, server=0.01),
        },
        runs={
            **common.partial_runs(),
            _NAME.format(0.6): _feed_forward(0.6),
            _PLAIN: _feed_forward(0.4),
            _UNIFORM: common.coded(_feed_forward(0.36), "upload_8"),
            # Entropy coding is lossless: the same model as with 8 bits alone.
            _ENTROPY: {
                **_feed_forward(0.4),
                "upload.codec": "entropy(uniform(bits=8, bucket=1024))",
            },
            f"{_PLAIN}_drive_1": common.coded(_feed_forward(0.4), "upload_drive_scaled"),
        },
        # What the claim of a tenth of the upload compares.
        seeds_of=dict.fromkeys(("full", _UNIFORM, _ENTROPY), (0, 1)),
        baseline="full",
    )
