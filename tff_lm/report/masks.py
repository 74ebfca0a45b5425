"""`bin.report --masks`: which variables of a run were trained, and how often, as text."""

from __future__ import annotations

from tff_lm.report.mask_counts import MaskCounts, count
from tff_lm.run_folder.workdir import Workdir


def table(workdir: Workdir) -> str:
    """A line a variable, and the shares of all; raises ConfigError as `mask_counts.count` does."""
    return render(count(workdir))


def render(counts: MaskCounts) -> str:
    """The counts as a table for the screen."""
    width = max(map(len, counts.names))
    lines = [f"{'variable':<{width}}{'parameters':>14}{'times trained':>16}{'share':>9}"]
    for name, size, times in zip(counts.names, counts.sizes, counts.times, strict=True):
        share = times / counts.client_rounds
        lines.append(f"{name:<{width}}{size:>14,}{times:>16,}{share:>9.1%}")
    return "\n".join(
        [
            *lines,
            "",
            f"a client and round trained {counts.mean_fraction:.2%} of {counts.sizes.sum():,} "
            f"parameters on average; asked for: {counts.wanted_fraction:.2%}",
            f"client-rounds: {counts.client_rounds:,}",
        ]
    )
