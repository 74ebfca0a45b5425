"""When a run reached a perplexity: rounds, bytes and seconds, read off its curve."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Callable, Sequence

from tff_lm.report.experiments import Experiment
from tff_lm.report.runs import Point


@dataclasses.dataclass(frozen=True)
class Target:
    """A perplexity to reach.

    Attributes:
      perplexity: of the validation sample.
      origin: where it is from, to follow the figure in a title; "" if it was chosen.
    """

    perplexity: float
    origin: str = ""


@dataclasses.dataclass(frozen=True)
class Reached:
    """When an experiment reached a perplexity.

    Attributes:
      point: the mean over the seeds that did; None if none did.
      seeds: how many did.
    """

    point: Point | None
    seeds: int


def end_of(experiment: Experiment) -> Target:
    """The perplexity at which the experiment ended: that of its worst seed, so all reach it."""
    worst = max(run.curve[-1].token_perplexity for run in experiment.runs)
    return Target(worst, f", where “{experiment.name}” ended")


def reach(curve: Sequence[Point], perplexity: float) -> Point | None:
    """The first crossing of `perplexity` from above, or None if it was not reached.

    Between two evaluations the logarithm of the perplexity, the bytes and the seconds are taken to
    be linear in the round. A curve that begins at or below `perplexity` has reached it there.
    """
    for index, point in enumerate(curve):
        if point.token_perplexity <= perplexity:
            return _between(curve[index - 1], point, perplexity) if index else point
    return None


def reach_all(experiment: Experiment, perplexity: float) -> Reached:
    """When the experiment's runs reached it."""
    points = [reach(run.curve, perplexity) for run in experiment.runs]
    reached = [point for point in points if point is not None]
    return Reached(_combined(reached, statistics.fmean) if reached else None, len(reached))


def _between(before: Point, after: Point, perplexity: float) -> Point:
    start, end = math.log(before.token_perplexity), math.log(after.token_perplexity)
    share = (start - math.log(perplexity)) / (start - end)
    crossing = _combined([before, after], lambda pair: pair[0] + share * (pair[1] - pair[0]))
    return dataclasses.replace(crossing, token_perplexity=perplexity)


def _combined(points: Sequence[Point], combine: Callable[[list[float]], float]) -> Point:
    """A point whose every figure is `combine` of those of `points`."""
    names = [field.name for field in dataclasses.fields(Point)]
    return Point(**{name: combine([getattr(point, name) for point in points]) for name in names})
