"""A search over options with Optuna: it proposes, we run, it learns from the summaries.

Everything is kept in the sweep's folder, so that a search goes on where it was interrupted, trials
under way included. What is proposed depends on the seed and on the results of the trials before.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import optuna
from optuna.storages import journal
from optuna.trial import TrialState

from tff_lm import config as config_lib
from tff_lm.config.option import ConfigError, nearest
from tff_lm.sweep.definition import Overrides, Search, Sweep
from tff_lm.sweep.plan import Planner, Run

_FILE = "search.log"
_SPACE = "space"


class TrialSearch:
    """The trials of a sweep's search, each an ordinary run "trial_<number>"."""

    def __init__(self, sweep: Sweep, search: Search, planner: Planner, root: pathlib.Path) -> None:
        """Opens or begins the study in `root`; raises ConfigError if it had another space."""
        self._search = search
        self._planner = planner
        self._seed = sweep.seeds[0]
        self._failed: set[int] = set()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        backend = journal.JournalFileBackend(str(root / _FILE))
        self._study = optuna.create_study(
            study_name="sweep", storage=journal.JournalStorage(backend), load_if_exists=True
        )
        space = {key: repr(each) for key, each in search.space.items()}
        if self._study.user_attrs.get(_SPACE, space) != space:
            raise ConfigError(
                f"the search in {root} has another space: {json.dumps(space)} was begun as "
                f"{json.dumps(self._study.user_attrs[_SPACE])}; choose another --workdir"
            )
        self._study.set_user_attr(_SPACE, space)

    def draw(self, count: int) -> list[tuple[int, Run]]:
        """Up to `count` trials to run now, with their numbers; empty once all are done."""
        return list(itertools.islice(self._open(), count))

    def tell(self, number: int, run: Run) -> None:
        """Hands the result of a trial to the sampler.

        A run that failed stays open, to be tried again when the sweep is called again; one that
        diverged is done, without a value.

        Raises:
          ConfigError: if the objective is no figure of a summary.
        """
        result = run.result()
        if result is None:
            self._failed.add(number)
            return
        value = figure(result, self._search.objective)
        if value is None:
            self._study.tell(number, state=TrialState.FAIL)
        else:
            self._study.tell(number, value)

    def finished(self) -> list[Run]:
        """The runs of all trials that have a result."""
        done = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return [self._run(trial) for trial in done]

    def drawn(self) -> dict[str, Overrides]:
        """What was drawn for each trial so far, by the name of its run."""
        return {_name(trial): trial.params for trial in self._study.get_trials(deepcopy=False)}

    def _open(self) -> Iterator[tuple[int, Run]]:
        """First the trials that were interrupted, then new ones."""
        for trial in self._study.get_trials(states=(TrialState.RUNNING,)):
            if trial.number not in self._failed:
                yield trial.number, self._run(trial)
        while (number := len(self._study.get_trials(deepcopy=False))) < self._search.trials:
            # One sampler a trial: a resumed search must not repeat the draws of its beginning.
            self._study.sampler = optuna.samplers.TPESampler(seed=self._search.seed + number)
            trial = self._study.ask(fixed_distributions=dict(self._search.space))
            try:
                run = self._run(trial)
            except ConfigError:
                # Values that are allowed one by one, and not together.
                self._study.tell(number, state=TrialState.FAIL)
                continue
            yield number, run

    def _run(self, trial: Any) -> Run:
        run = self._planner.run(_name(trial), trial.params, self._seed)
        return dataclasses.replace(run, drawn=trial.params)


def _name(trial: Any) -> str:
    return f"trial_{trial.number:03d}"


def first_run(search: Search, planner: Planner, seed: int) -> Run:
    """The run with the first value of every key, once all ends of the space are checked.

    Raises:
      ConfigError: if a key of the space, or a value at its ends, is none of the options, or if
        that run cannot be configured.
    """
    first = {}
    for key, distribution in search.space.items():
        ends = getattr(distribution, "choices", None) or (distribution.low, distribution.high)
        for value in ends:
            config_lib.find_option(key).check(value)
        first[key] = ends[0]
    return planner.run("trial", first, seed)


def figure(summary: Mapping[str, Any], path: str) -> float | None:
    """The number at a dotted path of a summary, None if there it is null.

    Raises:
      ConfigError: if there is no such figure.
    """
    found: Any = summary
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            hint = nearest(name, found) if isinstance(found, Mapping) else ""
            raise ConfigError(f"search.objective: a summary has no {path!r}{hint}")
        found = found[name]
    return found
