"""Combinations of options that cannot work, each as one rule with its own remedy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import ml_collections

from tff_lm.config.option import ConfigError


@dataclasses.dataclass(frozen=True)
class Rule:
    """`message` is the error when `broken(config)` is true. It names the keys and the remedy."""

    broken: Callable[[ml_collections.ConfigDict], bool]
    message: str


RULES = (
    Rule(
        lambda c: c.task.name == "text" and not c.task.path,
        "task.path is missing: task.name='text' needs the file or folder of your text",
    ),
    Rule(
        lambda c: c.algorithm.client_momentum > 0 and c.algorithm.client_optimizer != "sgd",
        "algorithm.client_momentum needs algorithm.client_optimizer='sgd'",
    ),
    Rule(
        lambda c: c.algorithm.server_momentum > 0 and c.algorithm.name != "fed_avg",
        "algorithm.server_momentum needs algorithm.name='fed_avg'; the adaptive server optimizers "
        "have algorithm.server_beta1",
    ),
)


def check(config: ml_collections.ConfigDict) -> None:
    """Raises ConfigError with the first broken rule's message."""
    for rule in RULES:
        if rule.broken(config):
            raise ConfigError(rule.message)
