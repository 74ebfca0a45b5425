"""Test perplexity against the bytes that a client uploads in a round."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from tff_lm.report import headline
from tff_lm.report.charts import style, ticks
from tff_lm.report.experiments import Experiment, Spread
from tff_lm.run_folder.progress import human_bytes

_UPLOAD = "communication.upload_bytes_per_client"


def has_place(experiment: Experiment) -> bool:
    """Whether the experiment can be drawn: it uploaded something, and its perplexity is finite."""
    key = f"test.{headline.of_experiments([experiment]).name}"
    return bool(experiment.mean(_UPLOAD)) and experiment.mean(key) is not None


def draw(
    experiments: Sequence[Experiment],
    baseline: Experiment | None,
    section: Sequence[Experiment],
) -> Figure:
    """A point an experiment with its deviation over seeds, and a line through the best of them.

    Args:
      experiments: those that have a place.
      baseline: one that looks apart from the others; or None.
      section: all, whose order sets the colours, so that they are the same in every plot.
    """
    perplexity = headline.of_experiments(experiments)
    labels = [each.name for each in experiments]
    figure = style.figure(labels)
    axes = figure.subplots()
    uploads = [_spread(each, _UPLOAD).mean for each in experiments]
    perplexities = [_spread(each, f"test.{perplexity.name}") for each in experiments]
    heights = [each.mean for each in perplexities]
    ticks.scale(axes, "x", min(uploads), max(uploads), human_bytes)
    ticks.scale(axes, "y", min(heights), max(heights), ticks.NUMBER)
    steps, levels = zip(*frontier(list(zip(uploads, heights, strict=True))), strict=True)
    axes.plot(steps, levels, color=style.MUTED, linewidth=1, drawstyle="steps-post")
    for experiment, upload, found in zip(experiments, uploads, perplexities, strict=True):
        how = style.of(experiment, section, baseline)
        how = {**how, "linestyle": "none", "label": experiment.name, "capsize": 3}
        axes.errorbar(upload, found.mean, yerr=found.deviation, **how)
    axes.set(
        xlabel="uploaded by a client in a round", ylabel=style.lines(f"test {perplexity.label}")
    )
    style.legend(figure, labels)
    return figure


def frontier(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The (bytes, perplexity) pairs that no other one beats in both, by ascending bytes."""
    best: list[tuple[float, float]] = []
    for place in sorted(places):
        if not best or place[1] < best[-1][1]:
            best.append(place)
    return best


def _spread(experiment: Experiment, key: str) -> Spread:
    found = experiment.spread(key)
    assert found is not None, "has_place() comes before draw()"
    return found
