"""The configuration of an experiment: typed, locked, documented in `schema.py`."""

from tff_lm.config.option import ConfigError, Option
from tff_lm.config.tree import (
    check_resumable,
    default_config,
    find_option,
    flatten,
    get,
    read_json,
    to_json,
    validate,
)

__all__ = [
    "ConfigError",
    "Option",
    "check_resumable",
    "default_config",
    "find_option",
    "flatten",
    "get",
    "read_json",
    "to_json",
    "validate",
]
