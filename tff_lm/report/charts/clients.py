"""How perplexity differs between the people of the test split."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from tff_lm import figures
from tff_lm.report import headline
from tff_lm.report.charts import style, ticks
from tff_lm.report.experiments import Experiment


def has_place(experiment: Experiment) -> bool:
    """Whether the experiment's percentiles are known."""
    return all(experiment.mean(key) is not None for key in _percentiles([experiment]))


def draw(
    experiments: Sequence[Experiment],
    baseline: Experiment | None,
    section: Sequence[Experiment],
) -> Figure:
    """For each experiment a bar from the 10th to the 90th percentile, with a dot at the median.

    Args:
      experiments: those whose percentiles are known.
      baseline: one that looks apart from the others; or None.
      section: all, whose order sets the colours, so that they are the same in every plot.
    """
    figure = Figure(figsize=(style.WIDTH, 1.0 + 0.42 * len(experiments)))
    axes = figure.subplots()
    keys = _percentiles(experiments)
    lows, middles, highs = ([each.mean(key) or 0.0 for each in experiments] for key in keys)
    rows = range(len(experiments))
    colours = [style.of(each, section, baseline)["color"] for each in experiments]
    axes.hlines(rows, lows, highs, color=colours, linewidth=3)
    axes.plot(middles, rows, "o", color=style.INK, markersize=7)
    for row, experiment in enumerate(experiments):
        # Above its bar instead of at the axis: a name takes no width from the data.
        place = (lows[row], row)
        axes.annotate(experiment.name, place, (0, 6), textcoords="offset points", fontsize=9)
    ticks.scale(axes, "x", min(lows), max(highs), ticks.NUMBER)
    axes.set_ylim(len(experiments) - 0.4, -0.8)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set(xlabel=style.lines(f"of a person: test {headline.of_experiments(experiments).label}"))
    return figure


def _percentiles(experiments: Sequence[Experiment]) -> list[str]:
    """The keys of the percentiles that all experiments have."""
    names = figures.percentile_names(headline.of_experiments(experiments).name)
    return [f"test.{name}" for name in names.values()]
