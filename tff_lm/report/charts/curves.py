"""Validation perplexity as a run goes on: by round, by bytes sent."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tff_lm import figures
from tff_lm.report.charts import style
from tff_lm.report.experiments import Experiment
from tff_lm.report.runs import Point
from tff_lm.run_folder.progress import human_bytes

# A model that has just begun predicts so badly that its end could not be seen: the axis is cut at
# this multiple of the least perplexity.
_CUT = 6.0
_PERPLEXITY = figures.FIGURES["token_perplexity"]


@dataclasses.dataclass(frozen=True)
class Progress:
    """What a curve is drawn against.

    Attributes:
      label: of the axis.
      of: a point's place on it.
      text: a place in words.
    """

    label: str
    of: Callable[[Point], float]
    text: Callable[[float], str]


BY_ROUND = Progress("round", lambda point: point.round, style.NUMBER)
BY_UPLOAD = Progress(
    "uploaded by all clients together", lambda point: point.upload_bytes, human_bytes
)
BY_BYTES = Progress(
    "uploaded and downloaded by all clients together",
    lambda point: point.upload_bytes + point.download_bytes,
    human_bytes,
)


@dataclasses.dataclass(frozen=True)
class Curves:
    """Curves of experiments, on axes that suit all of a section.

    Attributes:
      shown: a line each.
      baseline: its line looks apart from the others; None: no such line.
      all: whose figures set the limits of the axes, so that plots of parts can be compared, and
        whose order sets the colours, so that they are the same in other plots.
      progress: what they are drawn against.
    """

    shown: Sequence[Experiment]
    baseline: Experiment | None
    all: Sequence[Experiment]
    progress: Progress

    def draw(self) -> Figure:
        """Lines of the means over seeds, with bands from the least to the largest."""
        labels = [each.name for each in self.shown]
        figure = style.figure(labels)
        axes = figure.subplots()
        self._set_limits(axes)
        for experiment in self.shown:
            self._line(axes, experiment, style.of(experiment, self.all, self.baseline))
        axes.set(xlabel=self.progress.label, ylabel=style.lines(f"validation {_PERPLEXITY.label}"))
        style.legend(figure, labels)
        return figure

    def _set_limits(self, axes: Axes) -> None:
        points = [point for each in self.all for run in each.runs for point in run.curve]
        places = [self.progress.of(point) for point in points]
        low_x = min((place for place in places if place > 0), default=1.0)
        heights = [point.token_perplexity for point in points]
        low, high = min(heights), min(max(heights), _CUT * min(heights))
        style.scale(axes, "y", low, high, style.NUMBER)
        axes.set_ylim(low / 1.04, high * 1.04)
        if self.progress is BY_ROUND:
            steps = [1, 2, 2.5, 5, 10]
            axes.xaxis.set_major_locator(ticker.MaxNLocator("auto", steps=steps, integer=True))
        else:
            style.scale(axes, "x", low_x, max(places), self.progress.text)

    def _line(self, axes: Axes, experiment: Experiment, how: dict[str, Any]) -> None:
        mean = experiment.mean_curve()
        if self.progress is not BY_ROUND:
            # Nothing has been sent in round 0, which has no place among logarithms.
            mean = [point for point in mean if self.progress.of(point) > 0]
        places = [self.progress.of(point) for point in mean]
        axes.plot(places, [point.token_perplexity for point in mean], label=experiment.name, **how)
        if len(experiment.runs) > 1:
            low, high = zip(*(_extent(experiment, point.round) for point in mean), strict=True)
            axes.fill_between(places, low, high, color=how["color"], alpha=0.18, linewidth=0)


def _extent(experiment: Experiment, number: float) -> tuple[float, float]:
    """The least and the largest perplexity of an experiment's runs in a round."""
    found = [
        point.token_perplexity
        for run in experiment.runs
        for point in run.curve
        if point.round == number
    ]
    return min(found), max(found)
