"""From the folders of a command line to groups of runs: what is compared with what."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from tff_lm.config import ConfigError
from tff_lm.report.runs import Run, read_json, read_run
from tff_lm.sweep import record
from tff_lm.sweep.definition import trial_name
from tff_lm.sweep.record import Record

CODEC_BENCHMARK = "codecs_benchmark.json"
# The group of run folders that were named one by one.
NAMED_RUNS = "runs"

_SEED_FOLDER = re.compile(r"seed_\d+")


@dataclasses.dataclass
class Group:
    """Runs that belong together: a sweep.

    Attributes:
      name: of the sweep, its folder's.
      runs: the finished ones.
      unfinished: folders of runs that have no summary.json yet.
      record: what `bin.sweep` wrote of it; None of runs that it did not execute.
    """

    name: str
    runs: list[Run] = dataclasses.field(default_factory=list)
    unfinished: list[pathlib.Path] = dataclasses.field(default_factory=list)
    record: Record | None = None


@dataclasses.dataclass
class Collection:
    """Everything that a report is about.

    Attributes:
      groups: by name, in the order of the folders.
      codecs: what the codec benchmark printed; None without it.
    """

    groups: dict[str, Group] = dataclasses.field(default_factory=dict)
    codecs: Mapping[str, Any] | None = None

    def group(self, name: str) -> Group:
        """The group called `name`, made if it is not there."""
        return self.groups.setdefault(name, Group(name))


def collect(folders: Iterable[pathlib.Path]) -> Collection:
    """Reads all runs under `folders`.

    Args:
      folders: each the folder of a run, of a sweep (or of several), or a `results` folder with
        copies of summaries.

    Raises:
      ConfigError: one line, if a folder is not there or holds no run, if a file is not what its
        place says, or if two runs cannot be told apart.
    """
    found = Collection()
    for folder in folders:
        _add(found, folder)
    for group in found.groups.values():
        _refuse_twins(group)
        _name_trials(group)
    if not found.codecs and not any(group.runs for group in found.groups.values()):
        started = [path for group in found.groups.values() for path in group.unfinished]
        raise ConfigError(
            f"no run has finished yet; {started[0]} has begun: the command that started it goes on"
        )
    return found


def _add(found: Collection, folder: pathlib.Path) -> None:
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}")
    if _is_workdir(folder):
        _add_workdir(found.group(NAMED_RUNS), folder)
        return
    workdirs = sorted({path.parent for path in folder.rglob("config.json")} | _finished(folder))
    for workdir in workdirs:
        in_sweep = _SEED_FOLDER.fullmatch(workdir.name)
        sweep = workdir.parent.parent if in_sweep else workdir.parent
        group = found.group(sweep.name)
        group.record = group.record or record.read(sweep)
        _add_workdir(group, workdir)
    # What else lies in a folder of runs is none of ours.
    copies = [] if workdirs else _copies(folder)
    for path in copies:
        if path.name == CODEC_BENCHMARK:
            found.codecs = _codec_benchmark(path)
        elif path.name == record.NAME:
            found.group(path.parent.name).record = record.read(path.parent)
        else:
            found.group(path.parent.name).runs.append(read_run(path))
    if not workdirs and not copies:
        raise ConfigError(
            f"{folder} holds no run: neither a summary.json below it, nor copies of one (*.json)"
        )


def _is_workdir(folder: pathlib.Path) -> bool:
    return any((folder / name).is_file() for name in ("summary.json", "config.json"))


def _finished(folder: pathlib.Path) -> set[pathlib.Path]:
    return {path.parent for path in folder.rglob("summary.json")}


def _copies(folder: pathlib.Path) -> list[pathlib.Path]:
    """JSON files in the folder and one level below: `results/` and `results/NAME/`."""
    return sorted([*folder.glob("*.json"), *folder.glob("*/*.json")])


def _add_workdir(group: Group, workdir: pathlib.Path) -> None:
    summary = workdir / "summary.json"
    if summary.is_file():
        group.runs.append(read_run(summary))
    else:
        group.unfinished.append(workdir)


def _codec_benchmark(path: pathlib.Path) -> dict[str, Any]:
    benchmark = read_json(path)
    needed = {"family", "codec", "bits_per_parameter", "relative_squared_error"}
    if not (
        isinstance(benchmark, dict)
        and {"model", "precision", "tokens", "training_seconds", "codecs"} <= set(benchmark)
        and all(needed <= set(row) for row in benchmark["codecs"])
    ):
        raise ConfigError(
            f"{path} is not what `python -m benchmarks.codecs --json` prints as its last line"
        )
    return benchmark


def _name_trials(group: Group) -> None:
    """Calls the trials of a search by what was drawn for them."""
    trials = group.record.trials if group.record else {}
    group.runs = [
        dataclasses.replace(run, experiment=trial_name(run.experiment, trials[run.experiment]))
        if run.experiment in trials
        else run
        for run in group.runs
    ]


def _refuse_twins(group: Group) -> None:
    seen: dict[tuple[str, int], Run] = {}
    for run in group.runs:
        twin = seen.setdefault((run.experiment, run.seed), run)
        if twin is not run:
            raise ConfigError(
                f"{twin.source} and {run.source} are both experiment {run.experiment!r} with seed "
                f"{run.seed}; name one of them, or set --config.experiment apart"
            )
