"""summary.json: what a finished run came to, for people, reports and sweeps."""

from __future__ import annotations

import json
import math
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import ml_collections

from tff_lm import figures
from tff_lm.evaluations.registry import UNSEEN
from tff_lm.run_folder import curve, files
from tff_lm.run_folder.errors import DamagedFileError
from tff_lm.run_folder.progress import human_bytes
from tff_lm.run_folder.workdir import Workdir


def build(
    *,
    config: ml_collections.ConfigDict,
    command: str,
    rows: Sequence[Mapping[str, float]],
    facts: Mapping[str, Any],
    test: Mapping[str, float],
    validation: Mapping[str, float],
    evaluations: Mapping[str, Mapping[str, float]],
    unigram: Mapping[str, float],
    communication: Mapping[str, float],
    closing_seconds: float,
    peak_memory_bytes: int,
) -> dict[str, Any]:
    """Puts the summary together.

    Args:
      config: the run's configuration.
      command: the line that repeats the run.
      rows: all rows of metrics.csv.
      facts: of the experiment itself.
      test: figures on all test clients.
      validation: figures on all validation clients.
      evaluations: by name, figures of the other measures, each on all clients of its last split.
      unigram: figures of the baseline on the same test targets.
      communication: totals of the run's ledger.
      closing_seconds: what the last evaluations took.
      peak_memory_bytes: of all processes together.
    """
    tokens, seconds = _total(rows, "tokens"), _total(rows, "seconds")
    return {
        "experiment": config.experiment,
        "command": command,
        "task": config.task.name,
        "model": config.model.name,
        "algorithm": config.algorithm.name,
        "rounds": int(rows[-1]["round"]),
        "clients_per_round": config.federated.clients_per_round,
        "seed": config.seed,
        **facts,
        "test": _of_split(test),
        "validation": _of_split(validation),
        "evaluations": {measure: _of_split(found) for measure, found in evaluations.items()},
        "baseline": {baseline_name(name): value for name, value in unigram.items()},
        "communication": dict(communication),
        "tokens": tokens,
        "tokens_per_second": _ratio(tokens, seconds),
        "padding_fraction": _padding_fraction(rows),
        "seconds": seconds + _total(rows, "evaluation_seconds") + closing_seconds,
        "training_seconds": seconds,
        "peak_memory_bytes": peak_memory_bytes,
        "curve": curve.curve(rows, list(evaluations)),
    }


def write(workdir: Workdir, summary: Mapping[str, Any]) -> None:
    """Writes summary.json. A figure that does not exist (NaN, infinity) is null there."""
    files.write_text(workdir.summary, json.dumps(_finite(summary), indent=2) + "\n")


def read(workdir: Workdir) -> dict[str, Any] | None:
    """The run's summary, or None if it has not finished; raises DamagedFileError."""
    try:
        found = json.loads(workdir.summary.read_bytes())
        if isinstance(found, dict) and isinstance(found.get("rounds"), int):
            return found
        reason = "it is no summary of a run"
    except FileNotFoundError:
        return None
    except ValueError as error:
        reason = f"it is not JSON: {error}"
    raise DamagedFileError(
        f"{workdir.summary} is damaged ({reason}); remove it, and the command that started the run "
        "measures the model again"
    )


def table(summary: Mapping[str, Any], workdir: Workdir) -> str:
    """A run's result for the screen: what was reached, what it cost, where to look, what to do."""
    lines = {
        "test perplexity": _perplexities(summary["test"]),
        # A run of an earlier version has no others.
        **{
            (measure if measure == UNSEEN else f"test, {measure}"): _perplexities(found)
            for measure, found in summary.get("evaluations", {}).items()
        },
        **_first_guess(summary["test"]),
        "unigram baseline": _perplexities(_unigram(summary["baseline"])),
        **_sent(summary["communication"]),
        "time": _duration(summary["seconds"]) + _speed(summary["tokens_per_second"]),
        "plots": f"{workdir.plots}/",
        "all figures": f"{workdir.summary}",
    }
    head = (
        f"{summary['model']} ({summary['parameters']:,} parameters) on {summary['task']}, "
        f"{summary['algorithm']}: {_extent(summary)}"
    )
    width = max(18, *(len(label) + 2 for label in lines))
    body = [f"  {label:<{width}}{text}" for label, text in lines.items()]
    return "\n".join(["", head, *body, "", *_next_steps(summary, workdir)])


def baseline_name(name: str) -> str:
    """Under which name the unigram baseline has a figure: "unigram_perplexity" of all targets."""
    return f"unigram_{name.removeprefix('token_')}"


def _unigram(baseline: Mapping[str, float | None]) -> dict[str, float | None]:
    """The baseline's figures under their own names; earlier versions have but one."""
    names = {baseline_name(name): name for name in figures.QUALITY}
    return {names[name]: value for name, value in baseline.items()}


def _of_split(found: Mapping[str, float]) -> dict[str, float]:
    return {name: found[name] for name in figures.SPLIT}


def _perplexities(found: Mapping[str, float | None]) -> str:
    token = f"{figures.with_headline(found, 'token_perplexity')} a sub-word"
    # Text may be without words, and what earlier versions call a word's perplexity is not ours.
    word = found.get("word_perplexity_without_eos")
    if word is None or math.isnan(word):
        return token
    return f"{token}, {figures.with_headline(found, 'word_perplexity')} a word"


def _first_guess(found: Mapping[str, float | None]) -> dict[str, str]:
    """Nothing of a run of an earlier version, which counted ties."""
    name = "top1_accuracy"
    if figures.FIGURES[name].headline not in found:
        return {}
    return {"first guess right": figures.with_headline(found, name)}


def _sent(communication: Mapping[str, float]) -> dict[str, str]:
    """What was sent in each direction; nothing of central training."""
    return {
        label: f"{human_bytes(communication[f'{direction}_bytes'])}, "
        f"{human_bytes(communication[f'{direction}_bytes_per_client'])} a client and round"
        for label, direction in (("uploaded", "upload"), ("downloaded", "download"))
        if communication[f"{direction}_bytes"]
    }


def _extent(summary: Mapping[str, Any]) -> str:
    if "steps" in summary:
        return f"{summary['steps']:,} steps"
    return f"{summary['rounds']} rounds of {summary['clients_per_round']} clients"


def _next_steps(summary: Mapping[str, Any], workdir: Workdir) -> list[str]:
    python, folder = shlex.quote(_python()), shlex.quote(str(workdir.root))
    further = (
        f"federated, from these weights: --config.warm_start.checkpoint={folder}"
        if "steps" in summary
        else "more rounds: the same command with a larger --config.federated.rounds"
    )
    return [
        "Next:",
        f'  {python} -m bin.suggest --workdir={folder} "how are"',
        f"  {python} -m bin.evaluate --workdir={folder} --split=test",
        f"  {further}",
    ]


def _python() -> str:
    """This Python as a user here would call it."""
    here = f"{os.getcwd()}{os.sep}"
    return sys.executable.removeprefix(here)


def _padding_fraction(rows: Sequence[Mapping[str, float]]) -> float:
    # A row's fraction is 1 - tokens / positions; the run's is over the sums of both.
    trained = [row for row in rows if row.get("tokens")]
    positions = sum(row["tokens"] / (1.0 - row["padding_fraction"]) for row in trained)
    return 1.0 - _ratio(_total(rows, "tokens"), positions)


def _total(rows: Sequence[Mapping[str, float]], column: str) -> float:
    return sum(row.get(column, 0.0) for row in rows)


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_finite(member) for member in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _speed(tokens_per_second: float | None) -> str:
    """Nothing of a run that trained nothing."""
    if tokens_per_second is None or not math.isfinite(tokens_per_second):
        return ""
    return f", {tokens_per_second:,.0f} tokens/s while training"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
