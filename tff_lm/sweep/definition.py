"""What a sweep file says: which runs there are, and what they have in common."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from tff_lm.config.option import ConfigError, Value, nearest

Overrides = Mapping[str, Value]


@dataclasses.dataclass(frozen=True)
class Search:
    """A search by Optuna for the options that minimize a figure of summary.json.

    Attributes:
      space: dotted option key -> the Optuna distribution that it is drawn from.
      trials: how many runs.
      objective: dotted path of the figure, smaller is better; by default the validation
        perplexity with end of sentence, by which runs are compared everywhere.
      seed: of the sampler; the run's own seed is the sweep's first.
    """

    space: Mapping[str, Any]
    trials: int
    objective: str = "validation.token_perplexity"
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Pretraining:
    """A `bin.pretrain` that runs of a sweep start from.

    Attributes:
      steps: after which it ends; no more than its passes over the text have.
      options: dotted option key -> value, over those of `config`.
      config: its preset.
    """

    steps: int
    options: Overrides = dataclasses.field(default_factory=dict)
    config: str = "configs/pretrain_sotu.py"


@dataclasses.dataclass(frozen=True)
class Claim:
    """What runs of a sweep are to show; reports say whether they do, seed by seed.

    Attributes:
      run: the experiment that it is about.
      against: the one that it is compared with.
      perplexity_at_most: its test perplexity (without end of sentence, where both have that), in
        those of `against`: 1 says that it is no higher.
      upload_less_by: factor by which its clients upload less than those of `against`; 0: any.
    """

    run: str
    against: str
    perplexity_at_most: float = 1.0
    upload_less_by: float = 0.0


@dataclasses.dataclass(frozen=True)
class Sweep:
    """Runs that are to be compared. Option keys are those of --config., such as "upload.codec".

    Attributes:
      title: a few words, for reports.
      description: what is compared, and what is kept equal.
      config: the preset that all runs start from; with `pretrain.passes` they are `bin.pretrain`s.
      base: options of all runs.
      runs: experiment -> its options, over `base`.
      pretrainings: folder, as in the `warm_start.checkpoint` of runs -> what trains there before
        they start. Sweeps may share it.
      seeds: every experiment runs once with each.
      seeds_of: experiment -> its own seeds, instead of `seeds`.
      baseline: the experiment that the others are compared with; "": none.
      search: more runs, found one after another.
      columns: of the report's table, by the names in `tff_lm.report.table_columns`; (): the usual.
      target_perplexities: the report tells what each run spent to reach these on validation,
        with end of sentence.
      target_experiments: likewise for the perplexity at which these ended.
      claims: what the report says first.
    """

    title: str
    description: str
    config: str = "configs/chat.py"
    base: Overrides = dataclasses.field(default_factory=dict)
    runs: Mapping[str, Overrides] = dataclasses.field(default_factory=dict)
    pretrainings: Mapping[str, Pretraining] = dataclasses.field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    seeds_of: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    baseline: str = ""
    search: Search | None = None
    columns: tuple[str, ...] = ()
    target_perplexities: tuple[float, ...] = ()
    target_experiments: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()

    def __post_init__(self) -> None:
        """Raises ConfigError if one of the other attributes names a run that is not in `runs`."""
        baseline = (self.baseline,) if self.baseline else ()
        compared = [name for claim in self.claims for name in (claim.run, claim.against)]
        for name in (*self.seeds_of, *baseline, *self.target_experiments, *compared):
            if name not in self.runs:
                hint = nearest(name, list(self.runs))
                raise ConfigError(f"sweep {self.title!r}: there is no run called {name!r}{hint}")


def grid(prefix: str, choices: Mapping[str, Sequence[Value]]) -> dict[str, dict[str, Value]]:
    """The product of `choices` as `runs`.

    Args:
      prefix: what all names begin with.
      choices: option key -> its values. A key with one value is set, and not named.

    Returns:
      Runs such as "fed_adam-client_learning_rate_0.1-local_epochs_2". Keys that share their last
      part are named in full: "server_schedule.name_linear-local_schedule.name_cosine".
    """
    short = _short(list(choices))
    labels = {key: label for key, label in short.items() if len(choices[key]) > 1}
    runs = {}
    for values in itertools.product(*choices.values()):
        chosen = dict(zip(choices, values, strict=True))
        parts = [f"{label}_{_text(chosen[key])}" for key, label in labels.items()]
        runs["-".join([prefix, *parts])] = chosen
    return runs


def trial_name(experiment: str, drawn: Overrides) -> str:
    """A trial of a search, for tables and legends: "trial_003: client_learning_rate=0.032, ..."."""
    # A bare "name" says nothing.
    labels = {**_short(list(drawn)), **{key: key for key in drawn if key.endswith(".name")}}
    parts = [
        f"{labels[key]}={f'{value:.3g}' if isinstance(value, float) else value}"
        for key, value in drawn.items()
    ]
    return f"{experiment}: {', '.join(parts)}"


def _short(keys: Sequence[str]) -> dict[str, str]:
    """The last part of each option key, the whole key where two share that."""
    leaves = [key.rpartition(".")[2] for key in keys]
    return {
        key: leaf if leaves.count(leaf) == 1 else key
        for key, leaf in zip(keys, leaves, strict=True)
    }


def _text(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
