"""Options as fields of dataclasses: name, type, default, range and help are written here, once.

    @dataclasses.dataclass(frozen=True)
    class EvaluationOptions:
        \"\"\"When and on whom the model is measured.\"\"\"

        every: int = option(10, "rounds between evaluations; 0: only at the end", minimum=0)

Such a class stands beside the thing that it configures and imports no TensorFlow. The tree of the
configuration, `--help`, the checks of values and the arguments of what is built all come from it
(`tff_lm.config`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Value = bool | int | float | str
_KEY = "option"


@dataclasses.dataclass(frozen=True)
class Field:
    """What is known of an option beside its name and its type.

    Attributes:
      default: The value when nobody sets it; its type is the option's type.
      help: One line for `--help`, with the unit.
      choices: The allowed texts, such as a registry, which is asked when a value is checked; empty
        for any. With `normalize`, the names that may stand in a text.
      minimum: The smallest allowed number, included.
      maximum: The largest allowed number, included.
      fixed: Whether a resumed run must keep the value (what changes the training may not change).
      normalize: Turns a text into the one spelling of what it says, such as that of an expression;
        raises ValueError on what says nothing.
    """

    default: Value
    help: str
    choices: Iterable[str] = ()
    minimum: float | None = None
    maximum: float | None = None
    fixed: bool = True
    normalize: Callable[[str], str] | None = None


def option(
    default: Value,
    help: str,
    *,
    choices: Iterable[str] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    fixed: bool = True,
    normalize: Callable[[str], str] | None = None,
) -> Any:
    """A field of a dataclass that is an option; the arguments are those of `Field`."""
    described = Field(default, help, choices, minimum, maximum, fixed, normalize)
    return dataclasses.field(default=default, metadata={_KEY: described})


def fields(options_class: type) -> Iterator[tuple[str, Field]]:
    """(name, description) of every option of a dataclass, in order."""
    for field in dataclasses.fields(options_class):
        if _KEY in field.metadata:
            yield field.name, field.metadata[_KEY]


def summary(options_class: type) -> str:
    """What a section of options is about: the first line of its class's docstring, no sentence."""
    line = (options_class.__doc__ or "").strip().partition("\n")[0]
    return line[:1].lower() + line[1:].removesuffix(".")


def check_ranges(name: str, instance: Any) -> None:
    """Raises ValueError if a number of `instance`, called `name`, is out of its option's range."""
    for field_name, field in fields(type(instance)):
        value = getattr(instance, field_name)
        low, high = field.minimum, field.maximum
        # Written so that a NaN is in no range.
        if (low is not None and not value >= low) or (high is not None and not value <= high):
            limits = " and ".join(
                f"{word} {limit:g}"
                for word, limit in (("at least", low), ("at most", high))
                if limit is not None
            )
            raise ValueError(f"{name}: {field_name} = {value} must be {limits}.")
