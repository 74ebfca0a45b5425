"""The command line that repeats a run, for reports: the same on every machine."""

from __future__ import annotations

import os
import pathlib
import shlex
from collections.abc import Mapping

import ml_collections

from tff_lm import config as config_lib
from tff_lm import paths
from tff_lm.config.option import Value

# Say where a machine keeps things or computes, and nothing of what is computed.
_OF_THE_MACHINE = ("task.cache_dir", "runtime.workers", "runtime.certificates")


def changes(
    config: ml_collections.ConfigDict, preset: ml_collections.ConfigDict
) -> dict[str, Value]:
    """The options of `config` that differ from those of `preset`, by dotted key."""
    before = dict(config_lib.flatten(preset))
    return {key: value for key, value in config_lib.flatten(config) if value != before.get(key)}


def override_flags(values: Mapping[str, Value]) -> list[str]:
    """The flags `--config.KEY=VALUE` that set `values`."""
    return [f"--config.{key}={value}" for key, value in values.items()]


def train_command(
    config: ml_collections.ConfigDict,
    preset: ml_collections.ConfigDict,
    preset_file: str,
    program: str = "bin.train",
) -> str:
    """The `python -m bin.train ...` that repeats the run.

    Args:
      config: of the run.
      preset: what `preset_file` gives by itself.
      preset_file: path of the preset, with its ":variant" if it has one.
      program: what trains.

    Returns:
      A line for a shell. Paths are shown relative to where the user is; of a path that lies
      elsewhere only the last part is, since it would mean nothing on another machine.
    """
    file, colon, row = preset_file.partition(":")
    name = config.experiment or pathlib.Path(file).stem
    values = {
        key: _portable(value)
        for key, value in changes(config, preset).items()
        if key not in _OF_THE_MACHINE
    }
    flags = [
        f"--config={_portable(file)}{colon}{row}",
        f"--workdir=runs/{name}/seed_{config.seed}",
        *override_flags(values),
    ]
    return f"python -m {program} {shlex.join(flags)}"


def _portable(value: Value) -> Value:
    if not isinstance(value, str) or not os.path.isabs(value):
        return value
    relative = os.path.relpath(value, paths.resolve("."))
    return os.path.basename(value) if relative.startswith(os.pardir) else relative
