"""Validation perplexity as a run goes on: by round, by bytes sent."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tff_lm import figures
from tff_lm.report.charts import style, ticks
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


BY_ROUND = Progress("round", lambda point: point.round, ticks.NUMBER)
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
      all: whose figures set the limits of the axes, so that plots of parts can be compared.
      progress: what they are drawn against.
      section: whose order sets the colours, so that they are the same in every plot.
    """

    shown: Sequence[Experiment]
    baseline: Experiment | None
    all: Sequence[Experiment]
    progress: Progress
    section: Sequence[Experiment]

    def draw(self) -> Figure:
        """Lines of the means over seeds, with bands from the least to the largest."""
        low, high = self._range()
        end = ticks.NUMBER(float(f"{high:.2g}"))
        heights = [[point.token_perplexity for point in self._mean(each)] for each in self.shown]
        # Nobody would miss a line that is nowhere on the axes.
        labels = [
            each.name if min(found) <= high else f"{each.name} (above {end})"
            for each, found in zip(self.shown, heights, strict=True)
        ]
        figure = style.figure(labels)
        axes = figure.subplots()
        self._set_limits(axes, low, high)
        for experiment, label in zip(self.shown, labels, strict=True):
            how = style.of(experiment, self.section, self.baseline)
            self._line(axes, experiment, {**how, "label": label})
        cut = f"\n(not shown: above {end})" if max(map(max, heights)) > high else ""
        height = style.lines(f"validation {_PERPLEXITY.label}") + cut
        axes.set(xlabel=self.progress.label, ylabel=height)
        style.legend(figure, labels)
        return figure

    def _mean(self, experiment: Experiment) -> list[Point]:
        """An experiment's line."""
        mean = experiment.mean_curve()
        # Nothing has been sent in round 0, which has no place among logarithms.
        return [point for point in mean if self.progress is BY_ROUND or self.progress.of(point) > 0]

    def _range(self) -> tuple[float, float]:
        """The least and the largest perplexity on the axis."""
        runs = [run for each in self.all for run in each.runs]
        heights = [point.token_perplexity for run in runs for point in run.curve]
        return min(heights), min(max(heights), _CUT * min(heights))

    def _set_limits(self, axes: Axes, low: float, high: float) -> None:
        points = [point for each in self.all for run in each.runs for point in run.curve]
        places = [self.progress.of(point) for point in points]
        low_x = min((place for place in places if place > 0), default=1.0)
        ticks.scale(axes, "y", low, high, ticks.NUMBER)
        axes.set_ylim(low / 1.04, high * 1.04)
        if self.progress is BY_ROUND:
            steps = [1, 2, 2.5, 5, 10]
            axes.xaxis.set_major_locator(ticker.MaxNLocator("auto", steps=steps, integer=True))
        else:
            ticks.scale(axes, "x", low_x, max(places), self.progress.text)
            axes.set_xlim(low_x / 1.1, max(places) * 1.1)

    def _line(self, axes: Axes, experiment: Experiment, how: dict[str, Any]) -> None:
        mean = self._mean(experiment)
        places = [self.progress.of(point) for point in mean]
        axes.plot(places, [point.token_perplexity for point in mean], **how)
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
