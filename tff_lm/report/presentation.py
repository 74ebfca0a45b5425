"""How a group of runs is to be shown: what its file in configs/sweeps says of it."""

from __future__ import annotations

import os

from tff_lm import paths
from tff_lm.config import ConfigError, python_file
from tff_lm.sweep import Sweep

_FOLDER = "configs/sweeps"


def file_of(name: str) -> str:
    """Where the sweep called `name` is described, if it is."""
    return f"{_FOLDER}/{name}.py"


def load(name: str) -> Sweep | None:
    """The sweep called `name`; None if configs/sweeps has no such file.

    Raises:
      ConfigError: one line, if its file does not give a sweep.
    """
    path = paths.resolve(file_of(name))
    if not os.path.isfile(path):
        return None
    sweep = python_file.call(path, "get_sweep")
    if not isinstance(sweep, Sweep):
        raise ConfigError(f"{path}: get_sweep() must return a tff_lm.sweep.Sweep")
    return sweep
