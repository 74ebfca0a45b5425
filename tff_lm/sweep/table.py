"""What a sweep came to, for the screen: experiments by validation perplexity."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from tff_lm import figures
from tff_lm.run_folder.progress import human_bytes
from tff_lm.sweep.plan import Run

_LEGEND = (
    "Perplexities of a sub-word, and how often the first guess was right on test, over all people\n"
    "of a split, ± standard deviation over the seeds. +end: with end of sentence; validation+end\n"
    "orders the lines. up, down: of a client in a round. minutes: of training."
)
_LEGEND_CHANGE = " change: of the test perplexity against {}, seed by seed."
# Head, split and figure; each stands beside its headline.
_FIGURES = (
    ("validation", "token_perplexity"),
    ("test", "token_perplexity"),
    ("test", "top1_accuracy"),
)
_HEADS = ("validation", "test", "first guess")
_HEAD = (
    *("experiment", "seeds", *_HEADS, *(f"{head}+end" for head in _HEADS)),
    *("change", "up", "down", "minutes"),
)
_NOTHING = "-"
# Earlier versions, which have no headlines, counted ties.
_AS_NOW = {"top1_accuracy": figures.FIGURES["top1_accuracy"].headline}


@dataclasses.dataclass(frozen=True)
class _Line:
    """The figures of an experiment, by seed; `title` is what the table calls it."""

    experiment: str
    title: str
    by_seed: Mapping[int, dict[str, Any]]

    @property
    def summaries(self) -> Sequence[dict[str, Any]]:
        return list(self.by_seed.values())

    def figures(self, split: str, name: str) -> list[float] | None:
        """By seed, infinite where there is none; None if a run's version did not measure it."""
        found = [summary[split] for summary in self.summaries]
        if not all(name in each and _AS_NOW.get(name, name) in each for each in found):
            return None
        return [math.inf if each[name] is None else each[name] for each in found]

    def change(self, other: _Line) -> float:
        """Of the test perplexity, over the seeds that both have: these share their cohorts."""
        for name in ("keyboard_perplexity", "token_perplexity"):
            mine, theirs = self.figures("test", name), other.figures("test", name)
            if mine is not None and theirs is not None:
                base = dict(zip(other.by_seed, theirs, strict=True))
                pairs = zip(self.by_seed, mine, strict=True)
                ratios = [value / base[seed] for seed, value in pairs if seed in base]
                return statistics.fmean(ratios) - 1.0 if ratios else math.nan
        return math.nan

    def order(self) -> float:
        """The figure by which experiments are ordered."""
        return statistics.fmean(self.figures("validation", "token_perplexity") or [math.inf])

    def cells(self, baseline: _Line | None) -> tuple[str, ...]:
        sent = [summary["communication"] for summary in self.summaries]
        seconds = statistics.fmean(summary["training_seconds"] for summary in self.summaries)
        change = self.change(baseline) if baseline else math.nan
        return (
            self.title,
            str(len(self.summaries)),
            *(self._cell(split, figures.FIGURES[name].headline) for split, name in _FIGURES),
            *(self._cell(split, name) for split, name in _FIGURES),
            f"{change:+.1%}" if math.isfinite(change) else "",
            human_bytes(statistics.fmean(each["upload_bytes_per_client"] for each in sent)),
            human_bytes(statistics.fmean(each["download_bytes_per_client"] for each in sent)),
            f"{seconds / 60:.1f}",
        )

    def _cell(self, split: str, name: str) -> str:
        """Mean and deviation."""
        values = self.figures(split, name)
        if values is None:
            return _NOTHING
        figure, mean = figures.FIGURES[name], statistics.fmean(values)
        if len(values) == 1 or not math.isfinite(mean):
            return figure.text(mean)
        return f"{figure.text(mean)} ± {figure.text(statistics.stdev(values))}"


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
    lines.sort(key=_Line.order)
    legend = _LEGEND + (_LEGEND_CHANGE.format(baseline) if baseline else "")
    return f"{_aligned([_HEAD, *(line.cells(reference) for line in lines)])}\n\n{legend}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
