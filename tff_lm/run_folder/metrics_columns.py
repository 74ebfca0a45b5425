"""The figures of a round: the columns of metrics.csv, also for TensorBoard and the screen."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

from tff_lm import figures
from tff_lm.run_folder.progress import human_bytes

# Of the cohort's training, from `tff_lm.learning.metrics.summarise`.
TRAINING = (
    "clients",
    *figures.recorded(figures.TRAINING),
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
# Of what is measured on a fixed sample of people, as "<measure>_<name>"; VALIDATION always is.
VALIDATION = "validation"
EVALUATION = figures.recorded(figures.EVALUATION)
# Depend on the clock: the only columns in which two runs of one configuration differ.
WALL_CLOCK = ("seconds", "evaluation_seconds", "tokens_per_second")


def of_evaluation(measure: str, figure: str) -> str:
    """The column of a figure of EVALUATION."""
    return f"{measure}_{figure}"


@dataclasses.dataclass(frozen=True)
class MetricsColumns:
    """The columns of a run.

    Attributes:
      measures: the names of what is measured on the fixed sample.
    """

    measures: tuple[str, ...] = (VALIDATION,)

    @property
    def names(self) -> tuple[str, ...]:
        """The header of metrics.csv."""
        measured = (
            of_evaluation(measure, name) for measure in self.measures for name in EVALUATION
        )
        return ("round", *TRAINING, *COMMUNICATION, *measured, *WALL_CLOCK)

    def for_tensorboard(self, row: Mapping[str, float]) -> dict[str, float]:
        """The figures of a row under TensorBoard's tags, "group/name"."""
        return {self._tags[name]: value for name, value in row.items() if name in self._tags}

    def evaluation_lines(self, row: Mapping[str, float]) -> list[str]:
        """For the screen: a line for each measure of a row with an evaluation."""
        lines = [f"round {row['round']:.0f}: {_measured(row, each)}" for each in self.measures]
        if "loss" in row:
            lines[0] += (
                f", training loss {row['loss']:.3f}, {row['tokens_per_second']:,.0f} tokens/s"
            )
            if uploaded := row["upload_bytes_total"]:
                lines[0] += f", {human_bytes(uploaded)} uploaded so far"
        return lines

    @functools.cached_property
    def _tags(self) -> dict[str, str]:
        groups = (("training", TRAINING), ("communication", COMMUNICATION), ("time", WALL_CLOCK))
        return {
            **{name: f"{group}/{name}" for group, names in groups for name in names},
            **{
                of_evaluation(measure, name): f"{measure}/{name}"
                for measure in self.measures
                for name in EVALUATION
            },
        }


def _measured(row: Mapping[str, float], measure: str) -> str:
    found = {name: row.get(of_evaluation(measure, name)) for name in EVALUATION}
    perplexity, first_guess = (
        figures.with_headline(found, name) for name in ("token_perplexity", "top1_accuracy")
    )
    return f"{measure} perplexity {perplexity}, first guess right {first_guess}"
