"""One option of the configuration by its key: reading a text of it, and checking a value."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Iterable
from typing import Any

from tff_lm.options import Field, Value

_TRUE = ("true", "1", "yes")
_FALSE = ("false", "0", "no")


class ConfigError(ValueError):
    """A configuration that cannot be run. Its message is one line naming the key and a remedy."""


@dataclasses.dataclass(frozen=True)
class Option(Field):
    """A leaf of the configuration tree.

    Attributes:
      key: dotted path, such as "federated.rounds".
    """

    key: str = dataclasses.field(kw_only=True)

    @property
    def type(self) -> type:
        return type(self.default)

    @property
    def names(self) -> tuple[str, ...]:
        """The choices as they are now; () for any."""
        return tuple(self.choices)

    def parse(self, text: str) -> Value:
        """Reads a command line value by the option's type; raises ConfigError."""
        try:
            value = _READERS[self.type](text)
        except ValueError:
            raise ConfigError(f"{self.key} must be {self.expects()}, not {text!r}") from None
        return self.check(value)

    def check(self, value: Any) -> Value:
        """Returns `value` in its one type and spelling; raises ConfigError on a wrong one."""
        # bool is an int in Python, and 3 is a fine float: accept the second, refuse the first.
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        is_right = type(value) is self.type
        if not is_right:
            raise ConfigError(f"{self.key} must be {self.expects()}, not {value!r}")
        if self.normalize is None and self.names and value not in self.names:
            hint = nearest(str(value), self.names)
            raise ConfigError(f"{self.key} must be {self.expects()}, not {value!r}{hint}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{self.key} must be a finite number, not {value!r}")
        if self.minimum is not None and value < self.minimum:
            raise ConfigError(f"{self.key} must be at least {self.minimum:g}, not {value!r}")
        if self.maximum is not None and value > self.maximum:
            raise ConfigError(f"{self.key} must be at most {self.maximum:g}, not {value!r}")
        if self.normalize is not None:
            try:
                value = self.normalize(value)
            except ValueError as error:
                raise ConfigError(f"{self.key}: {error}") from error
        return value

    def expects(self) -> str:
        """What the option accepts, in words."""
        if self.normalize is None and self.names:
            return "one of " + ", ".join(repr(name) for name in self.names)
        return {bool: "True or False", int: "an integer", float: "a number", str: "a text"}[
            self.type
        ]


def nearest(name: str, names: Iterable[str]) -> str:
    """The question "; did you mean A or B?" with the names closest to `name`; "" if none is."""
    close = difflib.get_close_matches(name, list(names), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _parse_bool(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(text)


_READERS: dict[type, Callable[[str], Value]] = {
    bool: _parse_bool,
    int: int,
    float: float,
    str: str,
}
