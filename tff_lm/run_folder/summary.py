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

from tff_lm.evaluations.registry import UNSEEN
from tff_lm.run_folder import curve, files
from tff_lm.run_folder.progress import human_bytes
from tff_lm.run_folder.workdir import Workdir

# Of `tff_lm.learning.metrics.summarise`, those that describe a split rather than a round.
SPLIT_FIGURES = (
    "token_perplexity",
    "word_perplexity",
    "bits_per_word",
    "top1_accuracy",
    "top3_accuracy",
    "loss",
    "tokens",
    "words",
    "examples",
    "clients",
    "token_perplexity_p10",
    "token_perplexity_p50",
    "token_perplexity_p90",
)


def build(
    *,
    config: ml_collections.ConfigDict,
    command: str,
    rows: Sequence[Mapping[str, float]],
    facts: Mapping[str, Any],
    test: Mapping[str, float],
    validation: Mapping[str, float],
    evaluations: Mapping[str, Mapping[str, float]],
    unigram_perplexity: float,
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
      unigram_perplexity: the baseline on the same test targets.
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
        "test": {name: test[name] for name in SPLIT_FIGURES},
        "validation": {name: validation[name] for name in SPLIT_FIGURES},
        "evaluations": {
            measure: {name: figures[name] for name in SPLIT_FIGURES}
            for measure, figures in evaluations.items()
        },
        "baseline": {"unigram_perplexity": unigram_perplexity},
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
    """The run's summary, or None if it has not finished."""
    if not workdir.summary.exists():
        return None
    return json.loads(workdir.summary.read_text())


def table(summary: Mapping[str, Any], workdir: Workdir) -> str:
    """A run's result for the screen: what was reached, what it cost, where to look, what to do."""
    lines = {
        "test perplexity": _perplexities(summary["test"]),
        # A run of an earlier version has no others.
        **{
            (measure if measure == UNSEEN else f"test, {measure}"): _perplexities(figures)
            for measure, figures in summary.get("evaluations", {}).items()
        },
        "unigram baseline": f"{_number(summary['baseline']['unigram_perplexity'])} a sub-word",
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


def _perplexities(figures: Mapping[str, float | None]) -> str:
    token, word = (_number(figures[f"{unit}_perplexity"]) for unit in ("token", "word"))
    return f"{token} a sub-word, {word} a word"


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


def _number(value: float | None) -> str:
    return "unknown" if value is None or not math.isfinite(value) else f"{value:,.2f}"


def _speed(tokens_per_second: float | None) -> str:
    """Nothing of a run that trained nothing."""
    if tokens_per_second is None or not math.isfinite(tokens_per_second):
        return ""
    return f", {tokens_per_second:,.0f} tokens/s while training"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
