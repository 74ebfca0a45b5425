"""The configuration tree: made from the sections, locked, checked, and turned to JSON and back."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import ml_collections

from tff_lm.config import old_flags, rules, sections
from tff_lm.config.extensions import load as load_extensions
from tff_lm.config.option import ConfigError, Option, Value, nearest

T = TypeVar("T")
# A ConfigDict, or what JSON gives of one.
Tree = Mapping[str, Any] | Any


def default_config(extensions: str = "") -> ml_collections.ConfigDict:
    """Every option at its default. Locked: a preset can change values, never add a key.

    Args:
      extensions: the value of `extensions`; they are loaded, so that their sections are there.

    Raises:
      ConfigError: if an extension cannot be loaded.
    """
    load_extensions(extensions)
    config = ml_collections.ConfigDict()
    for name in sections.SECTIONS:
        values = {leaf: option.default for leaf, option in sections.of_section(name).items()}
        if name:
            config[name] = old_flags.section(name, values)
        else:
            config.update(values)
    config.extensions = extensions
    return config.lock()


def find_option(key: str) -> Option:
    """The option called `key`; raises ConfigError naming the nearest valid keys."""
    options = sections.by_key()
    if key in options:
        return options[key]
    if key in old_flags.OPTIONS:
        return old_flags.OPTIONS[key]
    members = [name for name in options if name.startswith(key + ".")]
    if members:
        raise ConfigError(f"{key} is a section, set its members: {', '.join(members)}")
    hint = nearest(key, options) or _by_last_part(key, options) or "; --help lists every key"
    raise ConfigError(f"unknown key {key}{hint}")


def flatten(config: Tree, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a tree as (dotted key, value)."""
    for name, value in config.items():
        key = f"{prefix}{name}"
        if isinstance(value, (Mapping, ml_collections.ConfigDict)):
            yield from flatten(value, key + ".")
        else:
            yield key, value


def changed(config: Tree, values: Mapping[str, Any]) -> ml_collections.ConfigDict:
    """A copy with other values, each checked; combinations are not (`validate`).

    Args:
      config: a tree such as a preset's `get_config()` or a run's config.json. Options that it does
        not hold (a file of an earlier version) take their defaults.
      values: by dotted key.

    Returns:
      A new locked tree with every option, in its declared type and spelling.

    Raises:
      ConfigError: one line naming the key, and the nearest valid ones if it is unknown.
    """
    own = old_flags.renewed(dict(flatten(config)))
    result = default_config(str(values.get("extensions", own.get("extensions", ""))))
    for key, value in {**own, **old_flags.renewed(values, before=own)}.items():
        section, leaf = _split(key)
        (result[section] if section else result)[leaf] = find_option(key).check(value)
    return result


def validate(config: Tree) -> ml_collections.ConfigDict:
    """Checks every key, type, value and combination of `config`; see `changed`.

    Raises:
      ConfigError: one line naming the key.
    """
    checked = changed(config, {})
    for name, section in sections.SECTIONS.items():
        read(checked, section.options_class, name)
    rules.check(checked)
    return checked


def read(config: ml_collections.ConfigDict, options_class: type[T], section: str) -> T:
    """The options of a section as their dataclass.

    Args:
      config: a whole tree.
      options_class: the section's.
      section: its name; "" for the keys that have none.

    Raises:
      ConfigError: if the class refuses the values.
    """
    own = config[section] if section else config
    values = {name: own[name] for name in sections.of_section(section)}
    try:
        return options_class(**values)
    except ValueError as error:
        raise ConfigError(f"{section}: {error}") from error


def get(config: ml_collections.ConfigDict, key: str) -> Value:
    """The value at a dotted key."""
    for part in key.split("."):
        config = config[part]
    return config


def to_json(config: ml_collections.ConfigDict) -> str:
    """The whole tree as indented JSON, stable between calls."""
    return json.dumps(config.to_dict(), indent=2) + "\n"


def read_json(path: pathlib.Path) -> ml_collections.ConfigDict:
    """Reads and validates a config.json; raises ConfigError if it is missing or damaged."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ConfigError(f"{path.parent} holds no run: {path.name} is missing") from None
    except ValueError as error:  # text or JSON that is none
        raise ConfigError(f"{path} is not JSON ({error}); restore it or start anew") from None
    if not isinstance(found, dict):
        raise ConfigError(f"{path} holds no configuration; restore it or start anew")
    return validate(found)


def check_resumable(
    old: ml_collections.ConfigDict, new: ml_collections.ConfigDict, where: str
) -> None:
    """Raises ConfigError if a run configured by `old` may not go on under `new`.

    Options that only steer the machine or add rounds may change; whatever enters the training may
    not, since the run would no longer be the one that its configuration describes.
    """
    for option in sections.by_key().values():
        before, after = get(old, option.key), get(new, option.key)
        if option.fixed and before != after:
            raise ConfigError(
                f"{option.key} is {before!r} in the run at {where} and cannot become {after!r}; "
                f"keep --config.{option.key}={before} or choose another --workdir"
            )


def _split(key: str) -> tuple[str, str]:
    section, _, leaf = key.rpartition(".")
    return section, leaf


def _by_last_part(key: str, options: Mapping[str, Option]) -> str:
    """A hint for `rounds` or `training.rounds`, where only the section is wrong."""
    leaf = key.rpartition(".")[2]
    named = [name for name in options if name.rpartition(".")[2] == leaf]
    if named:
        return f"; did you mean {' or '.join(named)}?"
    leaves = {name.rpartition(".")[2]: name for name in options}
    return nearest(leaf, leaves)
