"""The figures of a round: the columns of metrics.csv, also for TensorBoard and the screen."""

from __future__ import annotations

from collections.abc import Mapping

from tff_lm.run_folder.progress import human_bytes

# Of the cohort's training, from `tff_lm.learning.metrics.summarise`.
TRAINING = (
    "clients",
    "examples",
    "tokens",
    "loss",
    "token_perplexity",
    "top1_accuracy",
    "padding_fraction",
    "update_norm",
    "non_finite_clients",
)
# Of the cohort's traffic, from the ledger; the totals run over all rounds so far.
TOTALS = ("upload_bytes_total", "download_bytes_total")
COMMUNICATION = (
    "upload_bytes",
    "download_bytes",
    *TOTALS,
    "upload_reduction",
    "download_reduction",
    "upload_error",
)
# Of the fixed sample of validation clients, as "validation_<name>".
EVALUATION = ("loss", "token_perplexity", "word_perplexity", "top1_accuracy", "top3_accuracy")
VALIDATION = tuple(f"validation_{name}" for name in EVALUATION)
# Depend on the clock: the only columns in which two runs of one configuration differ.
WALL_CLOCK = ("seconds", "evaluation_seconds", "tokens_per_second")

COLUMNS = ("round", *TRAINING, *COMMUNICATION, *VALIDATION, *WALL_CLOCK)

_GROUPS = {
    **dict.fromkeys(TRAINING, "training"),
    **dict.fromkeys(COMMUNICATION, "communication"),
    **dict.fromkeys(VALIDATION, "validation"),
    **dict.fromkeys(WALL_CLOCK, "time"),
}


def for_tensorboard(row: Mapping[str, float]) -> dict[str, float]:
    """The figures of a row under TensorBoard's tags, "group/name"."""
    return {
        f"{_GROUPS[name]}/{name.removeprefix('validation_')}": value
        for name, value in row.items()
        if name in _GROUPS
    }


def evaluation_line(row: Mapping[str, float]) -> str:
    """One line for the screen on a row with an evaluation."""
    line = (
        f"round {row['round']:.0f}: validation perplexity "
        f"{row['validation_token_perplexity']:,.2f}, "
        f"first guess right {row['validation_top1_accuracy']:.1%}"
    )
    if "loss" not in row:
        return line
    line += f", training loss {row['loss']:.3f}, {row['tokens_per_second']:,.0f} tokens/s"
    uploaded = row["upload_bytes_total"]
    return f"{line}, {human_bytes(uploaded)} uploaded so far" if uploaded else line
