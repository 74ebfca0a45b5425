"""The figures that a language model is measured by: one list of names, meanings and formulas.

metrics.csv, TensorBoard, summary.json, the screen and reports take from it what they show, and
docs/figures.md is about it. A figure is a ratio of sums over the targets, the pieces that the model
is to predict; padding is never one. A target is guessed right by its rank among the logits, and
each rank has one winner: of equal logits the one with the smaller id goes first.

The headline are the figures of a keyboard: without the targets [EOS] and [UNK], which nobody types.
They are what TFF's baseline tasks call `..._without_out_of_vocab_or_end_of_sentence`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

# Summed over all targets, and as "eos_nats", "unk_tokens" ... over the special ones: the negative
# log-likelihood in nats, how many targets there are, how many of them were the model's first guess,
# and how many were among its first three.
COUNTED = ("nats", "tokens", "top1", "top3")
EOS, UNK = "eos", "unk"
SUMS = (
    *COUNTED,
    *(f"{special}_{name}" for special in (EOS, UNK) for name in COUNTED),
    "words",  # targets that begin a word; none where text is not made of words
    "examples",  # sentences
)
# Of each client's own value, in the figures that have a spread.
PERCENTILES = (10, 50, 90)

# Sums by name: numbers, or arrays with an element a client.
Sums = Mapping[str, Any]
# Where a figure stands beside summary.json: in the row of a trained round, in that of an evaluated
# one, on the curve in summary.json, and as percentiles over clients.
TRAINING, EVALUATION, CURVE, SPREAD = "training", "evaluation", "curve", "spread"


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure of some clients' text together.

    Attributes:
      name: in files.
      label: in tables and on the screen.
      meaning: Markdown, for docs/figures.md.
      numerator: sums -> above the line; `denominator` below it. Nothing below: no figure.
      scale: ratio -> figure; a monotonic function, so that it maps percentiles, too.
      form: how it is printed.
      records: where it stands beside summary.json.
      headline: the name of the figure that it is printed beside, of targets that people type.
      is_count: whether it says how much was measured, instead of how well.
    """

    name: str
    label: str
    meaning: str
    numerator: Callable[[Sums], Any]
    denominator: Callable[[Sums], Any] = lambda sums: 1.0
    scale: Callable[[float], float] = float
    form: str = "{:,.2f}"
    records: frozenset[str] = frozenset()
    headline: str = ""
    is_count: bool = False

    def of(self, sums: Sums) -> float:
        """Its value, NaN where there is none."""
        below = self.denominator(sums)
        return float(self.scale(self.numerator(sums) / below)) if below > 0 else math.nan

    def percentile(self, by_client: Mapping[str, np.ndarray], percent: float) -> float:
        """That of the clients' own values, for sums float64[clients]; NaN without any."""
        above, below = self.numerator(by_client), self.denominator(by_client)
        known = below > 0
        if not known.any():
            return math.nan
        return self.scale(float(np.percentile(above[known] / below[known], percent)))

    def text(self, value: float | None) -> str:
        """It printed; what is None or not finite is "unknown"."""
        return "unknown" if value is None or not math.isfinite(value) else self.form.format(value)


def _exp(value: float) -> float:
    return math.inf if value > 700.0 else float(np.exp(value))


def _sum(name: str, *without: str) -> Callable[[Sums], Any]:
    """The sum over all targets but the special ones `without`."""
    return lambda sums: sums[name] - sum(sums[f"{special}_{name}"] for special in without)


@dataclasses.dataclass(frozen=True)
class _Targets:
    """Which targets count. `name` is the pattern of figures' names, `label` follows theirs."""

    name: str
    label: str
    meaning: str
    without: tuple[str, ...] = ()
    is_recorded: bool = False


_KEYBOARD = "keyboard_{}"
_TARGETS = (
    _Targets(_KEYBOARD, "", "without `[EOS]` and `[UNK]`: the headline", (EOS, UNK), True),
    _Targets("{}", ", with end of sentence", "all, `[EOS]` and `[UNK]` too", (), True),
    _Targets("{}_without_eos", ", with unknown pieces", "all but `[EOS]`", (EOS,)),
    _Targets(
        "{}_without_unk",
        ", with end of sentence, without unknown pieces",
        "all but `[UNK]`",
        (UNK,),
    ),
)


def _of_targets(
    name: str, label: str, meaning: str, sum_name: str, *records: str, **options: Any
) -> Iterator[Figure]:
    """A figure for each choice of targets, the keyboard's first."""
    headline = _KEYBOARD.format(name.removeprefix("token_"))
    for targets in _TARGETS:
        of_keyboard = targets.name == _KEYBOARD
        yield Figure(
            headline if of_keyboard else targets.name.format(name),
            f"{label}{targets.label}",
            f"{meaning} Targets: {targets.meaning}.",
            _sum(sum_name, *targets.without),
            _sum("tokens", *targets.without),
            records=frozenset(records if targets.is_recorded else ()),
            headline="" if of_keyboard else headline,
            **options,
        )


def _words_and_ends(sums: Sums) -> Any:
    # Text that is not made of words has sentences' ends, but no words' perplexity.
    return np.where(np.greater(sums["words"], 0), sums["words"] + sums["eos_tokens"], 0.0)


def _count(name: str, label: str, meaning: str, *records: str) -> Figure:
    return Figure(
        name, label, meaning, _sum(name), form="{:,.0f}", records=frozenset(records), is_count=True
    )


_WORDS = "`exp` of the nats a word; the nats of a word are those of all its pieces."
_ALL = (
    *_of_targets(
        "token_perplexity", "perplexity", "`exp` of the mean nats a target.",
        "nats", TRAINING, EVALUATION, CURVE, SPREAD, scale=_exp,
    ),
    Figure(
        "word_perplexity_without_eos", "perplexity, word", f"{_WORDS} `[EOS]` left out.",
        _sum("nats", EOS), _sum("words"), _exp, records=frozenset({EVALUATION}),
    ),
    Figure(
        "word_perplexity", "perplexity, word, with end of sentence",
        f"{_WORDS} `[EOS]` counts as a word with its nats, as in figures on PTB and WikiText.",
        _sum("nats"), _words_and_ends, _exp, records=frozenset({EVALUATION, CURVE}),
        headline="word_perplexity_without_eos",
    ),
    Figure(
        "bits_per_word", "bits per word, with end of sentence",
        "The binary logarithm of `word_perplexity`.",
        _sum("nats"), _words_and_ends, lambda nats: nats / math.log(2.0), form="{:,.3f}",
    ),
    *_of_targets(
        "top1_accuracy", "first guess right", "The share of targets that were the first guess.",
        "top1", TRAINING, EVALUATION, form="{:.2%}",
    ),
    *_of_targets(
        "top3_accuracy", "one of three guesses right",
        "The share of targets that were among the first three guesses.",
        "top3", EVALUATION, form="{:.2%}",
    ),
    Figure(
        "loss", "loss, with end of sentence", "The mean nats a target, over all targets.",
        _sum("nats"), _sum("tokens"), form="{:.3f}", records=frozenset({TRAINING, EVALUATION}),
    ),
    _count("tokens", "sub-words", "Targets.", TRAINING),
    _count("eos_tokens", "ends of sentences", "Targets that are `[EOS]`."),
    _count("unk_tokens", "unknown pieces", "Targets that are `[UNK]`."),
    _count("words", "words", "Targets that begin a word, `[UNK]` among them."),
    _count("examples", "sentences", "Sentences.", TRAINING),
)  # fmt: skip
FIGURES = {figure.name: figure for figure in _ALL}
# Those that say how well, and not how much.
QUALITY = tuple(name for name, figure in FIGURES.items() if not figure.is_count)


def recorded(where: str) -> tuple[str, ...]:
    """The names of the figures that stand in TRAINING, EVALUATION, CURVE or SPREAD."""
    return tuple(name for name, figure in FIGURES.items() if where in figure.records)


def percentile_names(name: str) -> dict[int, str]:
    """Percent -> the name of that percentile over clients."""
    return {percent: f"{name}_p{percent}" for percent in PERCENTILES}


# What summary.json says of a split.
SPLIT = (
    *FIGURES,
    "clients",
    *(each for name in recorded(SPREAD) for each in percentile_names(name).values()),
)


def of(sums: Mapping[str, float]) -> dict[str, float]:
    """All figures of the text that `sums` (SUMS by name) are of; NaN where there is none."""
    return {name: figure.of(sums) for name, figure in FIGURES.items()}


def spread(by_client: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The percentiles over clients of the figures that have them, from sums float64[clients]."""
    return {
        percentile_name: FIGURES[name].percentile(by_client, percent)
        for name in recorded(SPREAD)
        for percent, percentile_name in percentile_names(name).items()
    }


def with_headline(values: Mapping[str, float | None], name: str) -> str:
    """For the screen: the headline of the figure `name`, and beside it the figure itself.

    Args:
      values: figures by name; summaries of earlier versions have no headlines.
      name: of a figure with one, such as "token_perplexity".
    """
    figure = FIGURES[name]
    beside = f"{figure.text(values[name])} with end of sentence"
    if figure.headline not in values:
        return beside
    return f"{FIGURES[figure.headline].text(values[figure.headline])} ({beside})"
