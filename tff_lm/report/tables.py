"""Experiments as tables: what they reached, what that cost, when they reached a perplexity."""

from __future__ import annotations

from collections.abc import Sequence

from tff_lm.report.document import Cell, Column, Table
from tff_lm.report.experiments import Experiment
from tff_lm.report.runs import Point
from tff_lm.report.table_columns import NOTHING, evaluations_of, find
from tff_lm.report.targets import Target, reach_all
from tff_lm.run_folder.progress import human_bytes

_NAME = Column("experiment", is_number=False)


def results(
    title: str,
    experiments: Sequence[Experiment],
    names: Sequence[str],
    baseline: Experiment | None,
) -> Table:
    """A row an experiment, with the columns called `names`.

    Those that compare with the baseline are left out where there is none, and figures that the
    version of the runs did not measure.

    Raises:
      ConfigError: for a column that does not exist, with the nearest one that does.
    """
    measured = evaluations_of(experiments)
    found = [column for name in names for column in find(name, measured)]
    columns = [
        column
        for column in dict.fromkeys(found)
        if (baseline or not column.of_baseline) and column.is_known(experiments)
    ]
    return Table(
        title,
        (_NAME, *(Column(column.title, column.is_number) for column in columns)),
        tuple(
            (Cell(each.name), *(column.cell(each, baseline) for column in columns))
            for each in experiments
        ),
    )


def to_reach(
    target: Target, experiments: Sequence[Experiment], baseline: Experiment | None
) -> Table:
    """What each experiment needed to reach a perplexity on the validation sample."""
    perplexity = target.perplexity
    columns = ["seeds that did", "rounds", "uploaded", "downloaded", "training, seconds"]
    first = reach_all(baseline, perplexity).point if baseline else None
    columns += ["rounds, to the baseline's", "uploaded, less than the baseline"] if first else []
    return Table(
        f"To reach a validation perplexity of {perplexity:,.4g}, with end of sentence"
        f"{target.origin}",
        (_NAME, *map(Column, columns)),
        tuple(_reached_row(each, perplexity, first) for each in experiments),
    )


def _reached_row(
    experiment: Experiment, perplexity: float, first: Point | None
) -> tuple[Cell, ...]:
    reached = reach_all(experiment, perplexity)
    seeds = Cell(f"{reached.seeds} of {len(experiment.runs)}", reached.seeds)
    point = reached.point
    if point is None:
        empty = [Cell(NOTHING)] * (5 if first else 3)
        return (Cell(experiment.name), seeds, _not_reached(experiment), *empty)
    cells = [
        Cell(f"{point.round:,.1f}", point.round),
        Cell(human_bytes(point.upload_bytes), point.upload_bytes),
        Cell(human_bytes(point.download_bytes), point.download_bytes),
        Cell(f"{point.seconds:,.0f}", point.seconds),
    ]
    return (Cell(experiment.name), seeds, *cells, *(_to_first(point, first) if first else ()))


def _not_reached(experiment: Experiment) -> Cell:
    evaluated = [point.round for run in experiment.runs for point in run.curve]
    return Cell(f"> {max(evaluated):,.0f}" if evaluated else NOTHING)


def _to_first(point: Point, first: Point) -> tuple[Cell, Cell]:
    return (
        _ratio(point.round, first.round, "{:.2f}x"),
        _ratio(first.upload_bytes, point.upload_bytes, "{:.1f}x"),
    )


def _ratio(numerator: float, denominator: float, form: str) -> Cell:
    if not denominator:
        return Cell(NOTHING)
    return Cell(form.format(numerator / denominator), numerator / denominator)
