"""The configuration of an experiment: typed, locked, made of the dataclasses in `sections.py`."""

from tff_lm.config.option import ConfigError, Option
from tff_lm.config.sections import add_section
from tff_lm.config.tree import (
    changed,
    check_resumable,
    default_config,
    find_option,
    flatten,
    get,
    read,
    read_json,
    to_json,
    validate,
)

__all__ = [
    "ConfigError",
    "Option",
    "add_section",
    "changed",
    "check_resumable",
    "default_config",
    "find_option",
    "flatten",
    "get",
    "read",
    "read_json",
    "to_json",
    "validate",
]
