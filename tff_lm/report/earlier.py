"""Summaries of earlier versions: figures that were counted otherwise get names of their own.

Those versions measured nothing without end of sentence, counted ties among the logits as right
guesses, and divided the nats of words and of [EOS] by the words alone. Under other names no table
mixes theirs with today's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tff_lm import figures

# Today's name -> what the earlier figure is said to be, after the label of today's headline.
MARKS = {
    "word_perplexity": "[EOS] not counted as a word",
    "bits_per_word": "[EOS] not counted as a word",
    "top1_accuracy": "with end of sentence, ties counted",
    "top3_accuracy": "with end of sentence, ties counted",
}
NOTE = (
    "Runs of earlier versions were measured with end of sentence alone. “Ties counted”: where "
    "logits were equal, as often in bfloat16, each of them was the first guess, which makes these "
    "accuracies about 0.2 points too high. “[EOS] not counted as a word”: but its nats were."
)
_SUFFIX = "_earlier"
_NEW = figures.FIGURES["token_perplexity"].headline


def name_of(name: str) -> str:
    """The name that the earlier figure `name` gets."""
    return f"{name}{_SUFFIX}"


def is_earlier(summary: Mapping[str, Any]) -> bool:
    """Whether it is of such a version."""
    return _NEW not in summary["test"]


def renamed(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The summary with the figures of MARKS under `name_of`, if it is of such a version."""
    if not is_earlier(summary):
        return dict(summary)
    splits = {key: _renamed(summary[key]) for key in ("test", "validation") if key in summary}
    evaluations = summary.get("evaluations")
    if evaluations is not None:
        splits["evaluations"] = {key: _renamed(found) for key, found in evaluations.items()}
    return {**summary, **splits}


def _renamed(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name_of(name) if name in MARKS else name: value for name, value in found.items()}
