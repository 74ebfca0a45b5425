"""Combinations of options that cannot work, each as one rule with its own remedy."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import ml_collections

from tff_lm.config.option import ConfigError
from tff_lm.evaluations import names


@dataclasses.dataclass(frozen=True)
class Rule:
    """`message` is the error when `broken(config)` is true. It names the keys and the remedy."""

    broken: Callable[[ml_collections.ConfigDict], bool]
    message: str


def _schedule_rules(section: str) -> tuple[Rule, ...]:
    def decays(config: ml_collections.ConfigDict) -> bool:
        return config[section].name in ("linear", "cosine", "exponential")

    return (
        Rule(
            lambda c: decays(c) and c[section].decay == 0,
            f"{section}.decay is missing: {section}.name needs how long it decays, at least 1",
        ),
        Rule(
            lambda c: c[section].name == "exponential" and c[section].final_factor == 0,
            f"{section}.final_factor must be above 0 for {section}.name='exponential'",
        ),
    )


def _pattern_rule(section: str, leaf: str) -> Rule:
    def broken(config: ml_collections.ConfigDict) -> bool:
        try:
            re.compile(config[section][leaf])
        except re.error:
            return True
        return False

    return Rule(broken, f"{section}.{leaf} must be a regular expression, such as 'attention|norm'")


RULES = (
    Rule(
        lambda c: c.task.name == "text" and not c.task.path,
        "task.path is missing: task.name='text' needs the file or folder of your text",
    ),
    Rule(
        lambda c: c.task.name == "git" and not c.task.path,
        "task.path is missing: task.name='git' needs the folders of clones, separated by commas",
    ),
    Rule(
        lambda c: c.task.max_examples and c.task.max_examples < c.task.min_examples,
        "task.max_examples must not be below task.min_examples",
    ),
    Rule(
        lambda c: c.partial.policy == "full" and c.partial.fraction < 1,
        "partial.fraction below 1 needs a partial.policy other than 'full'",
    ),
    Rule(
        lambda c: c.warm_start.freeze and not c.warm_start.checkpoint,
        "warm_start.freeze needs warm_start.checkpoint: frozen random weights learn nothing",
    ),
    Rule(
        lambda c: c.pretrain.passes and c.partial.policy not in ("full", "fixed"),
        "pretrain.passes needs partial.policy 'full' or 'fixed': there are no clients to draw for",
    ),
    Rule(
        lambda c: c.lora.rank and not c.warm_start.checkpoint,
        "lora.rank needs warm_start.checkpoint: it freezes the model's matrices, which are random",
    ),
    _pattern_rule("lora", "include"),
    _pattern_rule("warm_start", "include"),
    _pattern_rule("warm_start", "freeze"),
    *_schedule_rules("server_schedule"),
    *_schedule_rules("client_schedule"),
    *_schedule_rules("local_schedule"),
)


def check(config: ml_collections.ConfigDict) -> None:
    """Raises ConfigError with the first broken rule's message, or what the evaluations lack."""
    for rule in RULES:
        if rule.broken(config):
            raise ConfigError(rule.message)
    try:
        names.parse(config.evaluation.names)
    except ValueError as error:
        raise ConfigError(f"evaluation.names: {error}") from error
