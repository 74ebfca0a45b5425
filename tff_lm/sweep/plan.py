"""From a sweep to its runs, all of them checked before the first one starts."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ml_collections

from tff_lm import config as config_lib
from tff_lm import paths
from tff_lm.config import old_flags, python_file
from tff_lm.config.option import ConfigError, Value
from tff_lm.experiment import resumable
from tff_lm.run_folder import repeating_command, summary
from tff_lm.run_folder.workdir import Workdir
from tff_lm.sweep.definition import Overrides, Pretraining, Sweep, trial_name

# An experiment names a folder and stands in a command line.
_NAME = re.compile(r"[\w.+-]+", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of a sweep, or a pre-training for runs.

    Attributes:
      experiment: its name.
      preset: absolute path of the preset, with its ":variant" if it has one.
      changes: what its configuration changes in the preset, by option key.
      config: the whole configuration, validated.
      workdir: its folder.
      drawn: what a search drew for it.
    """

    experiment: str
    preset: str
    changes: Overrides
    config: ml_collections.ConfigDict
    workdir: Workdir
    drawn: Overrides = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        """For the screen and for file names."""
        return f"{self.experiment}-seed_{self.config.seed}"

    @property
    def title(self) -> str:
        """For tables: a trial is named by what was drawn for it."""
        return trial_name(self.experiment, self.drawn) if self.drawn else self.experiment

    @property
    def program(self) -> str:
        """That executes it."""
        return "bin.pretrain" if self.config.pretrain.passes else "bin.train"

    @property
    def rounds(self) -> int:
        return self.config.federated.rounds

    @property
    def flags(self) -> list[str]:
        """The arguments of its program."""
        return [
            f"--config={self.preset}",
            f"--workdir={self.workdir.root}",
            *repeating_command.override_flags(self.changes),
        ]

    def result(self) -> dict[str, Any] | None:
        """Its summary if it has finished, with all of its rounds; else None."""
        found = summary.read(self.workdir)
        return found if found and found["rounds"] >= self.rounds else None


class Planner:
    """Makes the runs of a sweep in one folder."""

    def __init__(self, sweep: Sweep, root: pathlib.Path) -> None:
        """Reads the sweep's preset; raises ConfigError if that is not possible."""
        self._sweep = sweep
        self._root = root
        self._preset_file = _absolute(sweep.config)
        self._preset = python_file.load_preset(sweep.config)

    def runs(self) -> list[Run]:
        """The sweep's runs, seed by seed, so that an interrupted one has all experiments once.

        Raises:
          ConfigError: if one cannot be run, or is not the one that was begun in its folder.
        """
        names = list(self._sweep.runs)
        seeds = {name: self._sweep.seeds_of.get(name, self._sweep.seeds) for name in names}
        longest = max(map(len, seeds.values()), default=0)
        return [
            self.run(name, self._sweep.runs[name], seeds[name][index])
            for index in range(longest)
            for name in names
            if index < len(seeds[name])
        ]

    def run(self, experiment: str, overrides: Mapping[str, Value], seed: int) -> Run:
        """The run `experiment` with one seed; raises ConfigError as `runs` does."""
        if not _NAME.fullmatch(experiment):
            raise ConfigError(
                f"sweep: {experiment!r} cannot name a folder: use letters, digits and . _ + -"
            )
        given = {**self._sweep.base, **overrides, "seed": seed, "experiment": experiment}
        try:
            config = _changed(self._preset, given)
            changes = repeating_command.changes(config, self._preset)
            _resolve(config)
            workdir = Workdir(self._root / experiment / f"seed_{seed}")
            resumable.agreed(config, workdir)
        except ConfigError as error:
            raise ConfigError(f"{experiment}: {error}") from None
        return Run(experiment, self._preset_file, changes, config, workdir)


def pretrainings(sweep: Sweep, runs: Iterable[Run]) -> dict[str, Run]:
    """What must be trained before `runs` can start: their `warm_start.checkpoint` -> the run.

    Raises:
      ConfigError: if one cannot be configured.
    """
    wanted = {run.config.warm_start.checkpoint for run in runs}
    return {
        folder: _pretraining(folder, each)
        for folder, each in sweep.pretrainings.items()
        if folder in wanted
    }


def pretraining_commands(sweep: Sweep) -> list[str]:
    """The command lines that do a sweep's pre-trainings one by one."""
    return [
        "python -m bin.pretrain "
        + shlex.join(
            [
                f"--config={each.config}",
                f"--workdir={folder}",
                *repeating_command.override_flags(_options(each)),
            ]
        )
        for folder, each in sweep.pretrainings.items()
    ]


def _options(wanted: Pretraining) -> Overrides:
    return {**wanted.options, "pretrain.steps": wanted.steps}


def _pretraining(folder: str, wanted: Pretraining) -> Run:
    preset = python_file.load_preset(wanted.config)
    name = f"pretrain_{pathlib.PurePath(folder).name}"
    try:
        config = _changed(preset, _options(wanted))
        changes = repeating_command.changes(config, preset)
        _resolve(config)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
    workdir = Workdir(pathlib.Path(paths.resolve(folder)))
    return Run(name, _absolute(wanted.config), changes, config, workdir)


def _resolve(config: ml_collections.ConfigDict) -> None:
    """Fills in what bin.pretrain will, so that its rounds and its folder are known before it ran.

    Raises:
      ConfigError: if that cannot be told without the text.
    """
    if not config.pretrain.passes:
        return
    if not config.pretrain.steps:
        raise ConfigError("pretrain.steps is missing: a sweep must know how long its runs are")
    config.federated.rounds = -(-config.pretrain.steps // config.pretrain.steps_per_round)
    config.federated.clients_per_round = 1


def _absolute(preset: str) -> str:
    file, colon, variant = old_flags.preset(preset).partition(":")
    return f"{paths.resolve(file)}{colon}{variant}"


def _changed(preset: ml_collections.ConfigDict, overrides: Overrides) -> ml_collections.ConfigDict:
    """A validated copy of `preset` with other values; raises ConfigError."""
    return config_lib.validate(config_lib.changed(preset, overrides))


def matching(runs: Sequence[Run], only: str) -> list[Run]:
    """The runs in whose names the regular expression `only` is found; raises ConfigError if none.

    A name is "<experiment>-seed_<n>".
    """
    try:
        found = [run for run in runs if re.search(only, run.name)]
    except re.error as error:
        raise ConfigError(f"--only={only} is no regular expression: {error}") from None
    if not found:
        names = ", ".join(run.name for run in runs) or "none"
        raise ConfigError(f"--only={only} matches no run; there are {names}")
    return found
