"""Keys and presets of earlier versions, so that published commands and older runs keep working.

A codec was a name beside options, `upload.codec=uniform` and `upload.bits=4`; now it is one
expression, `upload.codec='uniform(bits=4)'`. An old option changes the expression that stands
there: `bits` the codec inside all wrappers, `rotated` what is around it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

import ml_collections

from tff_lm.config.option import ConfigError, Option, Value
from tff_lm.expression_parser import INNER, Expression, ExpressionError, parse_expression

_LEVELS = ("uniform", "qsgd", "terngrad", "drive", "eden")
_UNROTATED = ("uniform", "qsgd", "terngrad")


@dataclasses.dataclass(frozen=True)
class _Old:
    """Attributes: what it was when nobody set it; the codecs that had it; its range."""

    default: Value
    codecs: tuple[str, ...]
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


# Left at its default, an option was left to the codec.
_ARGUMENTS = {
    "bits": _Old(0, ("uniform", "qsgd", "eden"), minimum=0, maximum=16),
    "stochastic": _Old(True, ("uniform",)),
    "per_row": _Old(False, ("uniform",)),
    "bucket": _Old(0, ("uniform", "qsgd"), minimum=0),
    "fraction": _Old(0.0, ("top_k", "random_k"), maximum=1),
    "scale": _Old("unbiased", ("drive", "eden"), choices=("unbiased", "least_squares")),
}
# From the inside to the outside, the only order that there was.
_WRAPPERS = {
    "entropy": _Old(False, _LEVELS),
    "rotated": _Old(False, _UNROTATED),
    "scaled": _Old(False, _LEVELS),
}
_SECTIONS = ("upload", "download")
_OLD = {**_ARGUMENTS, **_WRAPPERS}

# By dotted key. `--help` does not list them.
OPTIONS = {
    f"{section}.{name}": Option(
        old.default,
        f"part of {section}.codec",
        choices=old.choices,
        minimum=old.minimum,
        maximum=old.maximum,
        key=f"{section}.{name}",
    )
    for section in _SECTIONS
    for name, old in _OLD.items()
}

_PRESET = re.compile(
    r"(?P<scale>.*configs/(?:chat_)?paper)/"
    r"(?P<table>combination|models|optimizers|partial|quantization|transfer)\.py"
)


def preset(name: str) -> str:
    """Where the preset `name` is now: "configs/paper/models.py:ROW" is configs/paper.py:models/ROW.

    Any other name is returned as it is.
    """
    file, _, row = name.partition(":")
    old = _PRESET.fullmatch(file)
    if old is None:
        return name
    return f"{old['scale']}.py:{old['table']}" + (f"/{row}" if row else "")


def renewed(values: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`values` by dotted key, those of earlier versions turned into today's.

    Args:
      values: of both kinds.
      before: what `values` change, of today's kind; an old option alone changes the codec there.

    Raises:
      ConfigError: if an old option is of a wrong type, its codec had no such option, or the
        expression beside it says something else.
    """
    result = {key: value for key, value in values.items() if key not in OPTIONS}
    for section in _SECTIONS:
        given = {
            name: OPTIONS[f"{section}.{name}"].check(values[f"{section}.{name}"])
            for name in _OLD
            if f"{section}.{name}" in values
        }
        if given:
            key = f"{section}.codec"
            codec = values.get(key, (before or {}).get(key, "identity"))
            result[key] = _changed(section, codec, given, beside=key in values)
    return result


def notes(keys: Iterable[str], config: ml_collections.ConfigDict) -> list[str]:
    """What to tell a user who gave some of `keys`, which became part of `config`: a line each."""
    return [
        f"note: {key} is part of --config.{section}.codec={config[section].codec!r} now"
        for key in keys
        if key in OPTIONS
        for section in (key.partition(".")[0],)
    ]


class _CodecSection(ml_collections.ConfigDict):
    """Takes the old options as well, though locked: `renewed` turns them into the codec."""

    def __setitem__(self, key: str, value: Any) -> None:
        if key in _OLD and key not in self:
            with self.unlocked():
                super().__setitem__(key, value)
        else:
            super().__setitem__(key, value)


def section(name: str, values: Mapping[str, Value]) -> ml_collections.ConfigDict:
    """A section of the tree, which holds `values`."""
    kind = _CodecSection if name in _SECTIONS else ml_collections.ConfigDict
    return kind(dict(values))


def _changed(section: str, text: Any, given: Mapping[str, Value], *, beside: bool) -> str:
    """The expression `text` with some old options set, which stand beside it or change it."""
    if not isinstance(text, str):
        raise ConfigError(f"{section}.codec must be a text, not {text!r}")
    try:
        codec, wrappers = _taken_apart(parse_expression(text))
    except ExpressionError as error:
        raise ConfigError(
            f"{section}.codec={text!r} cannot take {section}.{next(iter(given))} ({error}): write "
            "all of it into the expression"
        ) from error
    arguments = dict(codec.arguments)
    for name, value in given.items():
        old = _OLD[name]
        is_set = value != old.default
        if is_set and codec.name not in old.codecs:
            raise ConfigError(
                f"{section}.{name} has no meaning for {section}.codec={codec.name!r}; "
                f"these have it: {', '.join(old.codecs)}"
            )
        stands = wrappers.get(name, arguments.get(name, old.default))
        if beside and stands not in (old.default, value):
            raise ConfigError(
                f"{section}.{name}={value} and {section}.codec={text!r} say two things; write all "
                "of it into the expression"
            )
        if name in _WRAPPERS:
            wrappers[name] = is_set
        elif is_set:
            arguments[name] = value
        else:
            arguments.pop(name, None)
    result = Expression(codec.name, tuple(arguments.items()))
    for name in _WRAPPERS:
        if wrappers[name]:
            result = Expression(name, ((INNER, result),))
    return str(result)


def _taken_apart(expression: Expression) -> tuple[Expression, dict[str, bool]]:
    """The codec inside, and which wrappers are around it.

    Raises:
      ExpressionError: if they do not stand in the old order.
    """
    wrappers = dict.fromkeys(_WRAPPERS, False)
    for name in reversed(_WRAPPERS):
        inner = dict(expression.arguments).get(INNER)
        if expression.name == name and isinstance(inner, Expression):
            if len(expression.arguments) > 1:
                raise ExpressionError(f"{name} has arguments of its own")
            wrappers[name] = True
            expression = inner
    if expression.name in _WRAPPERS or INNER in dict(expression.arguments):
        raise ExpressionError(f"{expression.name} stands where a codec is expected")
    return expression, wrappers
