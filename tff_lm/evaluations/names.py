"""`evaluation.names` as a user writes it: 'validation, adapted(fraction=0.5)'."""

from __future__ import annotations

import re

from tff_lm import expressions
from tff_lm.evaluations.registry import EVALUATIONS, VALIDATION
from tff_lm.expressions import Expression

# What columns and TensorBoard's groups are called already.
_TAKEN = ("communication", "test", "time", "training")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def parse(text: str) -> dict[str, Expression]:
    """The expressions by the name of each evaluation, "validation" first; imports nothing.

    The name is an expression's argument `name` where it has one, and what it begins with otherwise.

    Raises:
      ValueError: one line, if the text is no list of evaluations, if "validation" is not among
        them, or if two have one name.
    """
    named: dict[str, Expression] = {}
    for expression in expressions.parse_many(text, EVALUATIONS):
        name = str(dict(expression.arguments).get("name") or expression.name)
        if name in named:
            raise ValueError(f"{text!r} has two evaluations called {name}; give one a name='...'")
        if name in _TAKEN or not _NAME.fullmatch(name):
            raise ValueError(
                f"{text!r}: an evaluation cannot be called {name!r}; its name is lower-case "
                f"letters, digits and _, and none of {', '.join(_TAKEN)}"
            )
        named[name] = expression
    if VALIDATION not in named:
        raise ValueError(f"{text!r} lacks {VALIDATION}, by which checkpoints are compared; add it")
    return {VALIDATION: named.pop(VALIDATION), **named}


def find(text: str, wanted: str) -> tuple[str, str]:
    """A run's evaluations, and which of them is asked for.

    Args:
      text: the run's `evaluation.names`.
      wanted: the name of one of them, or an expression of its own.

    Returns:
      What to measure, as `evaluation.names`, no more than is needed; the name in it.

    Raises:
      ValueError: if `wanted` is neither.
    """
    named = parse(text)
    if wanted == VALIDATION:
        return VALIDATION, VALIDATION
    chosen = f"{VALIDATION}, {named.get(wanted, wanted)}"
    return chosen, list(parse(chosen))[-1]
