"""Server rates and candidates where each client trains its own part at 8 bits, against full."""

from configs.sweeps import common
from tff_lm.config.option import Value
from tff_lm.sweep import Sweep


def get_sweep() -> Sweep:
    def part(fraction: float, include: str, server: float) -> dict[str, Value]:
        chosen = common.partial("per_client_per_round", fraction, include)
        return common.coded({**chosen, **common.rates(client=0.1, server=server)}, "upload_8")

    return Sweep(
        title="Partial training: server rates and candidates",
        description="The small Transformer, one seed; each client trains its own part in a round. "
        "`ff36` draws among the feed-forward matrices alone, `block39` among those of attention as "
        "well; the embedding always trains.",
        base={"model.name": "transformer_small", **common.length(100)},
        runs={
            **{f"full-{s}": common.rates(client=0.1, server=s) for s in (0.005, 0.01)},
            **{f"ff36-{s}": part(0.36, "feed_forward", s) for s in (0.005, 0.01, 0.015)},
            "block39-0.01": part(0.39, "block", 0.01),
        },
        baseline="full-0.01",
    )
