"""The columns of result tables: one line a column, by the name that a sweep file chooses it by."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence

from tff_lm import figures
from tff_lm.config import ConfigError
from tff_lm.config.option import nearest
from tff_lm.evaluations.registry import UNSEEN
from tff_lm.report import earlier, headline
from tff_lm.report.document import Cell
from tff_lm.report.experiments import Experiment, Spread
from tff_lm.run_folder.progress import human_bytes

NOTHING = "–"  # noqa: RUF001 (an en dash, as typography has it)


@dataclasses.dataclass(frozen=True)
class ResultColumn:
    """A column of figures of experiments.

    Attributes:
      title: its head.
      cell: (experiment, baseline) -> the cell; the baseline is None where there is none.
      of_baseline: whether the column makes sense only beside a baseline.
      is_number: whether it sorts, and is set, as numbers are.
      key: of a figure that not every version measured; "": others.
    """

    title: str
    cell: Callable[[Experiment, Experiment | None], Cell]
    of_baseline: bool = False
    is_number: bool = True
    key: str = ""

    def is_known(self, experiments: Iterable[Experiment]) -> bool:
        """Whether the version of any of the runs measured it."""
        runs = (run for experiment in experiments for run in experiment.runs)
        return not self.key or any(run.has(self.key) for run in runs)


def _figure(title: str, key: str, form: Callable[[float], str]) -> ResultColumn:
    """A mean over seeds."""

    def cell(experiment: Experiment, baseline: Experiment | None) -> Cell:
        mean = experiment.mean(key)
        return Cell(NOTHING) if mean is None else Cell(form(mean), mean)

    return ResultColumn(title, cell)


def _measured(split: str, name: str) -> tuple[ResultColumn, ...]:
    """Means over seeds with their deviation: the figure `name` behind its headline.

    A third column is the figure as earlier versions counted it.

    Args:
      split: dotted path of the figures, "test" or "evaluations.NAME".
      name: of a figure in `tff_lm.figures`.
    """
    figure = figures.FIGURES[name]
    names = [figure.headline, name] if figure.headline else [name]
    columns = [(figures.FIGURES[each].label, each) for each in names]
    if name in earlier.MARKS:
        label = f"{columns[0][0]}, {earlier.MARKS[name]}"
        columns.append((label, earlier.name_of(name)))
    return tuple(
        _with_spread(_title(split, label, figure), f"{split}.{each}", figure)
        for label, each in columns
    )


def _title(split: str, label: str, figure: figures.Figure) -> str:
    evaluation = split.removeprefix("evaluations.")
    if evaluation != split:
        return f"{evaluation} {label}" if evaluation == UNSEEN else f"{evaluation}: test {label}"
    return f"{split} {label}" if "perplexity" in figure.name else label


@functools.cache
def _with_spread(title: str, key: str, figure: figures.Figure) -> ResultColumn:
    """The same column for the same arguments, so that it is shown once."""
    return ResultColumn(
        title,
        lambda experiment, baseline: _with_deviation(experiment.spread(key), figure.text),
        key=key,
    )


def _change(experiment: Experiment, baseline: Experiment | None) -> Cell:
    """Percent of the test perplexity above the baseline, paired by seed."""
    if baseline is None or experiment is baseline:
        return Cell("baseline" if baseline else NOTHING, 0.0 if baseline else None)
    perplexity = headline.of_experiments([experiment, baseline])
    found = experiment.relative(f"test.{perplexity.name}", baseline)
    percent = found and Spread(
        100 * found.mean, None if found.deviation is None else 100 * found.deviation
    )
    return _with_deviation(percent, "{:+.2f}".format, unit=" %")


def _saving(title: str, key: str) -> ResultColumn:
    """How many times less than the baseline."""

    def cell(experiment: Experiment, baseline: Experiment | None) -> Cell:
        mine, theirs = experiment.mean(key), baseline.mean(key) if baseline else None
        return Cell(_times(theirs / mine), theirs / mine) if mine and theirs else Cell(NOTHING)

    return ResultColumn(title, cell, of_baseline=True)


def _seconds_per_round(experiment: Experiment, baseline: Experiment | None) -> Cell:
    seconds, rounds = experiment.mean("training_seconds"), experiment.mean("rounds")
    if not seconds or not rounds:
        return Cell(NOTHING)
    return Cell(f"{seconds / rounds:.3g}", seconds / rounds)


def _with_deviation(found: Spread | None, form: Callable[[float], str], unit: str = "") -> Cell:
    if found is None:
        return Cell(NOTHING)
    deviation = "" if found.deviation is None else f" ± {form(found.deviation).lstrip('+')}"
    return Cell(f"{form(found.mean)}{deviation}{unit}", found.mean)


def _times(ratio: float) -> str:
    if not ratio:  # Nothing was sent.
        return NOTHING
    return f"{ratio:.1f}x" if ratio < 100 else f"{ratio:,.0f}x"


_WHOLE = "{:,.0f}".format

COLUMNS = {
    "model": ResultColumn(
        "model", lambda experiment, baseline: Cell(experiment.model), is_number=False
    ),
    "parameters": _figure("parameters", "parameters", _WHOLE),
    "seeds": ResultColumn(
        "seeds",
        lambda experiment, baseline: Cell(str(len(experiment.runs)), len(experiment.runs)),
    ),
    "perplexity_change": ResultColumn("to the baseline", _change, of_baseline=True),
    # What was sent.
    "upload_per_client": _figure(
        "upload, client and round", "communication.upload_bytes_per_client", human_bytes
    ),
    "upload_reduction": _figure("upload, less than f32", "communication.upload_reduction", _times),
    "upload_saving": _saving(
        "upload, less than the baseline", "communication.upload_bytes_per_client"
    ),
    "upload": _figure("upload, total", "communication.upload_bytes", human_bytes),
    "download_per_client": _figure(
        "download, client and round", "communication.download_bytes_per_client", human_bytes
    ),
    "download_reduction": _figure(
        "download, less than f32", "communication.download_reduction", _times
    ),
    "download": _figure("download, total", "communication.download_bytes", human_bytes),
    # How long it took.
    "rounds": _figure("rounds", "rounds", _WHOLE),
    "training_seconds": _figure("training, seconds", "training_seconds", _WHOLE),
    "seconds_per_round": ResultColumn("seconds a round", _seconds_per_round),
    "tokens_per_second": _figure("tokens/s", "tokens_per_second", _WHOLE),
    "peak_memory": _figure("peak memory", "peak_memory_bytes", human_bytes),
}

# The test perplexities and accuracies go by their names in `tff_lm.figures`.
_OF_VALIDATION = {"validation_perplexity": "token_perplexity"}


def find(name: str, evaluations: Sequence[str]) -> tuple[ResultColumn, ...]:
    """The columns of `name`: of a figure its headline comes first.

    Args:
      name: one of COLUMNS, a figure on test such as "token_perplexity", "validation_perplexity",
        or a figure of an evaluation, such as "adapted.token_perplexity".
      evaluations: those that the runs have.

    Raises:
      ConfigError: if there is none, naming the nearest that there is.
    """
    evaluation, _, figure = name.partition(".")
    if name in COLUMNS:
        return (COLUMNS[name],)
    if name in figures.QUALITY:
        return _measured("test", name)
    if name in _OF_VALIDATION:
        return _measured("validation", _OF_VALIDATION[name])
    if evaluation in evaluations and figure in figures.QUALITY:
        return _measured(f"evaluations.{evaluation}", figure)
    known = [*COLUMNS, *figures.QUALITY, *_OF_VALIDATION]
    known += [f"{each}.{key}" for each in evaluations for key in figures.QUALITY]
    hint = nearest(name, known) or f"; there are {', '.join(known)}"
    raise ConfigError(f"a report has no column {name!r}{hint}")


def evaluations_of(experiments: Iterable[Experiment]) -> list[str]:
    """The names of what the runs measured beside "validation" and "test", in their order."""
    runs = (run for experiment in experiments for run in experiment.runs)
    return list(dict.fromkeys(name for run in runs for name in run.summary.get("evaluations", ())))


# Of a sweep that chooses none, beside the perplexities of evaluations. What matters most comes
# first: a phone shows a few columns at once.
RESULTS = (
    *("token_perplexity", "perplexity_change", "top1_accuracy", "upload_per_client"),
    *("upload_reduction", "upload_saving", "word_perplexity", "seeds", "model", "parameters"),
)
COSTS = (
    *("rounds", "training_seconds", "seconds_per_round", "tokens_per_second"),
    *("upload", "download_per_client", "download_reduction", "download", "peak_memory"),
)
