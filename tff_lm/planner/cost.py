"""What a whole run costs in machine hours and in traffic, by plain multiplication."""

from __future__ import annotations

import dataclasses

from tff_lm.planner.plan import Plan
from tff_lm.run_folder.progress import human_bytes


@dataclasses.dataclass(frozen=True)
class Run:
    """The size of a run.

    Attributes:
      rounds: of training.
      clients: in a round's cohort.
      tokens: real target tokens that a client trains on in a round, on average.
      tokens_per_second: of one machine while it trains, as measured for this model.
    """

    rounds: int
    clients: int
    tokens: float
    tokens_per_second: float

    @property
    def hours(self) -> float:
        """Machine hours of training; evaluations are not counted."""
        return self.rounds * self.clients * self.tokens / self.tokens_per_second / 3600


def render(run: Run, plan: Plan) -> str:
    """The cost of `run` with the first setting of both directions."""
    exchanges = run.rounds * run.clients
    upload, download = plan.uploads[0].mean_bytes, plan.downloads[0].mean_bytes
    return "\n".join(
        [
            f"{run.rounds:,} rounds of {run.clients:,} clients of {run.tokens:,.0f} tokens, "
            f"{exchanges * run.tokens:.3g} in all:",
            f"  machine hours   {run.hours:,.0f} at {run.tokens_per_second:,.0f} tokens/s "
            f"({run.hours / 24:,.1f} days; n machines share them)",
            f"  uploaded        {human_bytes(exchanges * upload)} with the first setting, "
            f"{human_bytes(exchanges * plan.model_bytes)} in float32",
            f"  downloaded      {human_bytes(exchanges * download)} with the first setting, "
            f"{human_bytes(exchanges * plan.model_bytes)} in float32",
        ]
    )
