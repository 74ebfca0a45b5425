"""How a group of runs is to be shown: what its sweep file says of it."""

from __future__ import annotations

import os

from tff_lm import paths
from tff_lm.config import ConfigError, python_file
from tff_lm.report.collect import Group
from tff_lm.sweep import Sweep
from tff_lm.sweep.record import Record

_FOLDER = "configs/sweeps"


def load(group: Group) -> Sweep | None:
    """The sweep of the group's runs; None if there is no such file.

    Raises:
      ConfigError: one line, if its file does not give a sweep.
    """
    path = paths.resolve(_record(group).file)
    if not os.path.isfile(path):
        return None
    sweep = python_file.call(path, "get_sweep")
    if not isinstance(sweep, Sweep):
        raise ConfigError(f"{path}: get_sweep() must return a tff_lm.sweep.Sweep")
    return sweep


def command(group: Group) -> str:
    """The line that executes all of the group's runs."""
    return _record(group).command


def _record(group: Group) -> Record:
    """How the sweep was called, or where its file would be by its name."""
    if group.record and os.path.isfile(paths.resolve(group.record.file)):
        return group.record
    return Record(f"{_FOLDER}/{group.name}.py", f"runs/{group.name}", "results")
