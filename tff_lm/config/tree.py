"""The configuration tree: built from the schema, locked, checked, and turned to JSON and back."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import ml_collections

from tff_lm.config import rules, schema
from tff_lm.config.option import ConfigError, Option, Value, nearest


def default_config() -> ml_collections.ConfigDict:
    """Every option at its default. Locked: a preset can change values, never add a key."""
    config = ml_collections.ConfigDict()
    for option in schema.OPTIONS:
        section, leaf = _split(option.key)
        if section and section not in config:
            config[section] = ml_collections.ConfigDict()
        (config[section] if section else config)[leaf] = option.default
    return config.lock()


def find_option(key: str) -> Option:
    """The option called `key`; raises ConfigError naming the nearest valid keys."""
    if key in schema.BY_KEY:
        return schema.BY_KEY[key]
    members = [name for name in schema.BY_KEY if name.startswith(key + ".")]
    if members:
        raise ConfigError(f"{key} is a section, set its members: {', '.join(members)}")
    hint = nearest(key, schema.BY_KEY) or _by_last_part(key) or "; --help lists every key"
    raise ConfigError(f"unknown key {key}{hint}")


def flatten(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a tree as (dotted key, value)."""
    for name, value in config.items():
        key = f"{prefix}{name}"
        if isinstance(value, (Mapping, ml_collections.ConfigDict)):
            yield from flatten(value, key + ".")
        else:
            yield key, value


def validate(config: Mapping[str, Any]) -> ml_collections.ConfigDict:
    """Checks every key, type, value and combination of `config`.

    Args:
      config: a tree such as a preset's `get_config()` or a run's config.json. Options that it does
        not hold (a file of an earlier version) take their defaults.

    Returns:
      A new locked tree with every option of the schema in its declared type.

    Raises:
      ConfigError: one line naming the key, and the nearest valid ones if it is unknown.
    """
    checked = default_config()
    for key, value in flatten(config):
        option = find_option(key)
        section, leaf = _split(key)
        (checked[section] if section else checked)[leaf] = option.check(value)
    rules.check(checked)
    return checked


def get(config: ml_collections.ConfigDict, key: str) -> Value:
    """The value at a dotted key."""
    for part in key.split("."):
        config = config[part]
    return config


def to_json(config: ml_collections.ConfigDict) -> str:
    """The whole tree as indented JSON, stable between calls."""
    return json.dumps(config.to_dict(), indent=2) + "\n"


def read_json(path: pathlib.Path) -> ml_collections.ConfigDict:
    """Reads and validates a config.json; raises ConfigError if it is missing or no JSON."""
    try:
        return validate(json.loads(path.read_text()))
    except FileNotFoundError:
        raise ConfigError(f"{path.parent} holds no run: {path.name} is missing") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path} is not JSON ({error}); restore it or start anew") from None


def check_resumable(
    old: ml_collections.ConfigDict, new: ml_collections.ConfigDict, where: str
) -> None:
    """Raises ConfigError if a run configured by `old` may not go on under `new`.

    Options that only steer the machine or add rounds may change; whatever enters the training may
    not, since the run would no longer be the one that its configuration describes.
    """
    for option in schema.OPTIONS:
        before, after = get(old, option.key), get(new, option.key)
        if option.fixed and before != after:
            raise ConfigError(
                f"{option.key} is {before!r} in the run at {where} and cannot become {after!r}; "
                f"keep {before!r} or choose another --workdir"
            )


def _split(key: str) -> tuple[str, str]:
    section, _, leaf = key.rpartition(".")
    return section, leaf


def _by_last_part(key: str) -> str:
    """A hint for `rounds` or `training.rounds`, where only the section is wrong."""
    leaf = key.rpartition(".")[2]
    named = [name for name in schema.BY_KEY if name.rpartition(".")[2] == leaf]
    if named:
        return f"; did you mean {' or '.join(named)}?"
    leaves = {name.rpartition(".")[2]: name for name in schema.BY_KEY}
    return nearest(leaf, leaves)
