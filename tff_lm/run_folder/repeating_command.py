"""The command line that repeats a run, for its summary and for reports."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping

import ml_collections

from tff_lm import config as config_lib
from tff_lm import paths
from tff_lm.config.option import Value
from tff_lm.run_folder.workdir import Workdir

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
    workdir: Workdir,
    program: str = "bin.train",
) -> str:
    """The `python -m bin.train ...` that repeats the run.

    Args:
      config: of the run.
      preset: what `preset_file` gives by itself.
      preset_file: path of the preset, with its ":variant" if it has one.
      workdir: of the run.
      program: what trains.

    Returns:
      A line for a shell in the folder where the user is: paths below it are relative, so that the
      line means the same in another clone; all others are absolute.
    """
    file, colon, variant = preset_file.partition(":")
    values = {
        key: _portable(value)
        for key, value in changes(config, preset).items()
        if key not in _OF_THE_MACHINE
    }
    flags = [
        f"--config={paths.as_typed(file)}{colon}{variant}",
        f"--workdir={paths.as_typed(str(workdir.root))}",
        *override_flags(values),
    ]
    return f"python -m {program} {shlex.join(flags)}"


def _portable(value: Value) -> Value:
    """Absolute paths, also several with commas, as the user may type them; all else as it is."""
    if not isinstance(value, str):
        return value
    parts = value.split(",")
    return ",".join(paths.as_typed(part) if os.path.isabs(part) else part for part in parts)
