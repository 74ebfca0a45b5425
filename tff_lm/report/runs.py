"""One finished run as reports see it: its summary.json, and how its perplexity fell."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
from collections.abc import Mapping
from typing import Any

from tff_lm.config import ConfigError
from tff_lm.report import earlier
from tff_lm.run_folder import curve, metrics_table
from tff_lm.run_folder.workdir import Workdir

# What makes a JSON file the summary of a run.
_REQUIRED = (
    "model",
    "rounds",
    "seed",
    "test.token_perplexity",
    "communication.upload_bytes_per_client",
)
_SEED_SUFFIX = re.compile(r"[-_]?seed_(\d+)$")


@dataclasses.dataclass(frozen=True)
class Point:
    """An evaluated round.

    Attributes:
      round: rounds of training so far.
      token_perplexity: of the run's sample of validation clients, with end of sentence.
      upload_bytes: of all clients and rounds so far; so download_bytes.
      seconds: of training so far, evaluations excluded.
    """

    round: float
    token_perplexity: float
    upload_bytes: float
    download_bytes: float
    seconds: float


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
      experiment: the name that it shares with runs of other seeds.
      source: the file that it was read from.
      summary: the content of summary.json, in the names of `earlier` where it is of such a version.
      curve: its evaluated rounds, ascending; empty if they were not written down.
    """

    experiment: str
    source: pathlib.Path
    summary: Mapping[str, Any]
    curve: tuple[Point, ...]

    @property
    def seed(self) -> int:
        """The run's seed."""
        return int(self.summary["seed"])

    @property
    def command(self) -> str | None:
        """The command that repeats the run; None in summaries of early versions."""
        return self.summary.get("command")

    def has(self, key: str) -> bool:
        """Whether the summary has something at a dotted key, if only null."""
        return _at(self.summary, key, _MISSING) is not _MISSING

    def figure(self, key: str) -> float | None:
        """The number at a dotted key of the summary; None where there is none, or null."""
        value = _at(self.summary, key)
        return float(value) if isinstance(value, (int, float)) else None


def read_run(path: pathlib.Path) -> Run:
    """Reads a summary.json, in a run's folder or a copy under another name.

    Raises:
      ConfigError: one line, if the file is no summary.
    """
    summary = read_json(path)
    missing = [key for key in _REQUIRED if _at(summary, key, _MISSING) is _MISSING]
    if missing:
        raise ConfigError(f"{path} is not the summary.json of a run: it has no {missing[0]}")
    return Run(
        experiment=summary.get("experiment") or _name_from(path),
        source=path,
        summary=earlier.renamed(summary),
        curve=_curve(summary, path),
    )


def read_json(path: pathlib.Path) -> Any:
    """The content of a JSON file; raises ConfigError naming it."""
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON ({error}); restore it or remove it") from error


def _name_from(path: pathlib.Path) -> str:
    """The name that a path stands for, of a summary that has none in it.

    It is NAME of NAME/summary.json, NAME/seed_1/summary.json and NAME-seed_1.json.
    """
    parts = (path.parent.parent.name, path.parent.name)
    if path.name != Workdir(path.parent).summary.name:
        return _SEED_SUFFIX.sub("", path.stem)
    return parts[0] if _SEED_SUFFIX.fullmatch(parts[1]) else parts[1]


def _curve(summary: Mapping[str, Any], path: pathlib.Path) -> tuple[Point, ...]:
    """From the summary, or in the folder of an earlier version's run from metrics.csv."""
    workdir = Workdir(path.parent)
    evaluated = summary.get("curve")
    if evaluated is None and path == workdir.summary and workdir.metrics.is_file():
        evaluated = curve.curve(metrics_table.read_rows(workdir.metrics))
    return tuple(
        Point(
            round=entry["round"],
            token_perplexity=entry["validation_token_perplexity"],
            upload_bytes=entry["upload_bytes_total"],
            download_bytes=entry["download_bytes_total"],
            seconds=entry["seconds_total"],
        )
        for entry in evaluated or ()
        if entry["validation_token_perplexity"] is not None
    )


_MISSING = object()


def _at(summary: Any, key: str, default: object = None) -> Any:
    value = summary
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return default
        value = value[part]
    return value
