"""What a sweep came to, for the screen: experiments by validation perplexity."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from tff_lm.run_folder.progress import human_bytes
from tff_lm.sweep.plan import Run

_LEGEND = (
    "Perplexities of a sub-word, over all people of a split, ± standard deviation over the seeds.\n"
    "up, down: of a client in a round. minutes: of training."
)
_LEGEND_CHANGE = " change: of the test perplexity against {}, seed by seed."
_HEAD = ("experiment", "seeds", "validation", "test", "change", "up", "down", "minutes")


@dataclasses.dataclass(frozen=True)
class _Line:
    """The figures of an experiment, by seed; `title` is what the table calls it."""

    experiment: str
    title: str
    by_seed: Mapping[int, dict[str, Any]]

    @property
    def summaries(self) -> Sequence[dict[str, Any]]:
        return list(self.by_seed.values())

    def perplexities(self, split: str) -> list[float]:
        values = [summary[split]["token_perplexity"] for summary in self.summaries]
        return [math.inf if value is None else value for value in values]

    def change(self, other: _Line) -> float:
        """Of the test perplexity, over the seeds that both have: these share their cohorts."""
        mine = dict(zip(self.by_seed, self.perplexities("test"), strict=True))
        theirs = dict(zip(other.by_seed, other.perplexities("test"), strict=True))
        ratios = [mine[seed] / theirs[seed] for seed in mine if seed in theirs]
        return statistics.fmean(ratios) - 1.0 if ratios else math.nan

    def mean(self, split: str) -> float:
        return statistics.fmean(self.perplexities(split))

    def cells(self, baseline: _Line | None) -> tuple[str, ...]:
        sent = [summary["communication"] for summary in self.summaries]
        seconds = statistics.fmean(summary["training_seconds"] for summary in self.summaries)
        change = self.change(baseline) if baseline else math.nan
        return (
            self.title,
            str(len(self.summaries)),
            _spread(self.perplexities("validation")),
            _spread(self.perplexities("test")),
            f"{change:+.1%}" if math.isfinite(change) else "",
            human_bytes(statistics.fmean(each["upload_bytes_per_client"] for each in sent)),
            human_bytes(statistics.fmean(each["download_bytes_per_client"] for each in sent)),
            f"{seconds / 60:.1f}",
        )


def table(runs: Sequence[Run], baseline: str = "") -> str:
    """The finished ones of `runs` as a line an experiment, the best on validation on top.

    `baseline` is the experiment with which the test perplexities are compared; "": none.
    """
    found: dict[str, dict[int, dict[str, Any]]] = {}
    titles = {}
    for run in runs:
        if (summary := run.result()) is not None:
            found.setdefault(run.experiment, {})[run.config.seed] = summary
            titles[run.experiment] = run.title
    lines = [_Line(name, titles[name], by_seed) for name, by_seed in found.items()]
    reference = next((line for line in lines if line.experiment == baseline), None)
    lines.sort(key=lambda line: line.mean("validation"))
    legend = _LEGEND + (_LEGEND_CHANGE.format(baseline) if baseline else "")
    return f"{_aligned([_HEAD, *(line.cells(reference) for line in lines)])}\n\n{legend}"


def _spread(values: Sequence[float]) -> str:
    mean = statistics.fmean(values)
    if not math.isfinite(mean):
        return "unknown"
    if len(values) == 1:
        return f"{mean:,.2f}"
    return f"{mean:,.2f} ± {statistics.stdev(values):.2f}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
