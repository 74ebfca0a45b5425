"""The perplexity that runs are compared by."""

from __future__ import annotations

from collections.abc import Iterable

from tff_lm import figures
from tff_lm.figures import Figure
from tff_lm.report.experiments import Experiment
from tff_lm.report.runs import Run

_WITH_END = figures.FIGURES["token_perplexity"]
_HEADLINE = figures.FIGURES[_WITH_END.headline]


def perplexity(runs: Iterable[Run]) -> Figure:
    """That of the keyboard where all `runs` have it, otherwise that with end of sentence."""
    return _HEADLINE if all(run.has(f"test.{_HEADLINE.name}") for run in runs) else _WITH_END


def of_experiments(found: Iterable[Experiment]) -> Figure:
    """The same for all runs of some experiments."""
    return perplexity(run for experiment in found for run in experiment.runs)
