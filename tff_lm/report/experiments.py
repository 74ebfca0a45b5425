"""Runs of one configuration under several seeds, taken together."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Iterable, Sequence

from tff_lm.config import ConfigError
from tff_lm.report.runs import Point, Run

# In what the runs of an experiment may not differ; all of it stands in summary.json.
_SAME = ("model", "algorithm", "rounds", "clients_per_round", "parameters")


@dataclasses.dataclass(frozen=True)
class Spread:
    """A figure over seeds.

    Attributes:
      mean: over the seeds.
      deviation: sample standard deviation (n - 1), None of a single seed.
    """

    mean: float
    deviation: float | None


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Runs that differ in their seed alone, in the order of seeds; at least one."""

    name: str
    runs: tuple[Run, ...]

    @property
    def model(self) -> str:
        """The model's name."""
        return self.runs[0].summary["model"]

    def spread(self, key: str) -> Spread | None:
        """The figure at a dotted key of the summaries; None if a run lacks it."""
        return spread(run.figure(key) for run in self.runs)

    def mean(self, key: str) -> float | None:
        """Its mean alone."""
        found = self.spread(key)
        return found.mean if found else None

    def relative(self, key: str, other: Experiment) -> Spread | None:
        """Figure / `other`'s figure - 1, seed by seed: over the seeds that both have.

        Seeds are paired because runs of one seed share cohorts and data order, so that their ratio
        spreads less than the figures.
        """
        theirs = {run.seed: run.figure(key) for run in other.runs}
        pairs = [(run.figure(key), theirs[run.seed]) for run in self.runs if run.seed in theirs]
        return spread(mine / base - 1.0 if mine and base else None for mine, base in pairs)

    def mean_curve(self) -> list[Point]:
        """The means over the seeds, of the rounds in which all of them were evaluated."""
        by_round = [{point.round: point for point in run.curve} for run in self.runs]
        rounds = sorted(set.intersection(*(set(points) for points in by_round)))
        return [_mean_point([points[number] for points in by_round]) for number in rounds]


def spread(values: Iterable[float | None]) -> Spread | None:
    """Mean and deviation; None if there is no value, or if one of them is missing or infinite."""
    values = list(values)
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known or len(known) < len(values):
        return None
    return Spread(statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else None)


def by_name(runs: Iterable[Run], order: Sequence[str] = ()) -> list[Experiment]:
    """Groups runs into experiments: first those of `order`, then the others by name.

    Raises:
      ConfigError: if runs of one name differ in more than the seed.
    """
    members: dict[str, list[Run]] = {}
    for run in runs:
        members.setdefault(run.experiment, []).append(run)
    ordered = [name for name in order if name in members]
    ordered += sorted(members.keys() - set(ordered))
    return [_experiment(name, members[name]) for name in ordered]


def find(experiments: Sequence[Experiment], name: str | None) -> Experiment | None:
    """The experiment called `name`, if it is there."""
    return next((each for each in experiments if each.name == name), None)


def _experiment(name: str, runs: list[Run]) -> Experiment:
    first, *others = sorted(runs, key=lambda run: run.seed)
    for run in others:
        for key in _SAME:
            mine, theirs = first.summary.get(key), run.summary.get(key)
            if mine != theirs:
                raise ConfigError(
                    f"experiment {name!r} mixes runs with {key} {mine!r} ({first.source}) and "
                    f"{theirs!r} ({run.source}); set --config.experiment apart"
                )
    return Experiment(name, (first, *others))


def _mean_point(points: Sequence[Point]) -> Point:
    fields = [field.name for field in dataclasses.fields(Point)]
    return Point(
        **{name: statistics.fmean(getattr(point, name) for point in points) for name in fields}
    )
