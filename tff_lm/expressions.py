"""Things of a registry as expressions: `scaled(rotated(uniform(bits=4)))`, as a user writes them.

Each name is that of a frozen dataclass in a registry (`tff_lm.registry`), and its arguments are
that class's fields of type int, float, bool or str, or another expression: what a wrapper is put
around, its field `inner`, stands without a name. The class's annotations must resolve at run time.
An expression is read (`tff_lm.expression_parser`), never evaluated as code. `parse` imports
nothing, so that a configuration is checked at once; `build` and `canonical` import what is named.
"""

from __future__ import annotations

import contextlib
import dataclasses
import types
import typing
from collections.abc import Iterable, Iterator
from typing import Any

from tff_lm.expression_parser import INNER as INNER
from tff_lm.expression_parser import Expression as Expression
from tff_lm.expression_parser import ExpressionError as ExpressionError
from tff_lm.expression_parser import Value, parse_expression, parse_sequence
from tff_lm.registry import Registry, nearest

_LONGEST_SHOWN = 120  # characters of an expression in a message
_KINDS = {bool: "True or False", int: "a whole number", float: "a number", str: "a text in quotes"}


def parse(text: str, registry: Registry[Any]) -> Expression:
    """The tree of `text`, all names of which `registry` knows; nothing is imported.

    Raises:
      ExpressionError: In one line: the text, what is wrong, and the nearest known name.
    """
    with _about(text):
        return _known(parse_expression(text), registry)


def parse_many(text: str, registry: Registry[Any]) -> tuple[Expression, ...]:
    """The trees of expressions separated by commas or bars; empty for an empty text.

    Raises:
      ExpressionError: As `parse`.
    """
    with _about(text):
        return tuple(_known(expression, registry) for expression in parse_sequence(text))


def build(text: str, registry: Registry[Any]) -> Any:
    """The object that `text` stands for.

    Raises:
      ExpressionError: As `parse`, and for an argument that the thing does not have (naming the
        nearest), of a wrong type, or which it refuses.
    """
    expression = parse(text, registry)
    with _about(text):
        return _made(expression, registry)


def build_many(text: str, registry: Registry[Any]) -> tuple[Any, ...]:
    """The objects that the expressions in `text` stand for, in their order.

    Raises:
      ExpressionError: As `build`.
    """
    expressions = parse_many(text, registry)
    with _about(text):
        return tuple(_made(expression, registry) for expression in expressions)


def canonical(text: str, registry: Registry[Any]) -> str:
    """The one spelling of what `text` stands for, which equals another's if the objects are equal.

    Spaces are regular, arguments stand in the order of the fields, defaults are left out.

    Raises:
      ExpressionError: As `build`.
    """
    expression = parse(text, registry)
    with _about(text):
        return str(_normal(expression, registry))


def canonical_many(text: str, registry: Registry[Any]) -> str:
    """The one spelling of a sequence, separated by commas.

    Raises:
      ExpressionError: As `build`.
    """
    expressions = parse_many(text, registry)
    with _about(text):
        return ", ".join(str(_normal(expression, registry)) for expression in expressions)


def check_arguments(name: str, thing: type, arguments: Iterable[str]) -> None:
    """Raises ValueError for an argument that the dataclass `thing`, called `name`, does not have.

    The message names the nearest that it has.
    """
    fields = [field.name for field in _fields(thing)]
    for argument in arguments:
        if argument not in fields:
            having = nearest(argument, fields) if fields else ": it takes none."
            raise ValueError(f"{name} has no argument {argument!r}{having}")


@contextlib.contextmanager
def _about(text: str) -> Iterator[None]:
    """Puts the text before the message of a ValueError."""
    try:
        yield
    except ValueError as error:
        shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
        raise ExpressionError(f"{shown!r}: {' '.join(str(error).splitlines())}") from error


def _known(expression: Expression, registry: Registry[Any]) -> Expression:
    """The expression itself, if the registry has all names in it."""
    if expression.name not in registry:
        known = nearest(expression.name, list(registry))
        raise ExpressionError(f"unknown {registry.kind} {expression.name!r}{known}")
    for name, value in expression.arguments:
        if not isinstance(value, Expression):
            continue
        if name != INNER and not value.arguments and value.name not in registry:
            raise ExpressionError(
                f"{expression.name} has {name} = {value.name}, which is no {registry.kind}; "
                f"a text needs quotes: {name}='{value.name}'"
            )
        _known(value, registry)
    return expression


def _made(expression: Expression, registry: Registry[Any]) -> Any:
    thing = registry[expression.name]
    check_arguments(expression.name, thing, (name for name, _ in expression.arguments))
    hints = typing.get_type_hints(thing)
    arguments = {}
    for name, value in expression.arguments:
        if isinstance(value, Expression) and not _plain_types(hints[name]):
            arguments[name] = _made(value, registry)
        else:
            arguments[name] = _checked(f"{expression.name}: {name}", value, hints[name], registry)
    for field in _fields(thing):
        if field.name not in arguments and _default(field) is dataclasses.MISSING:
            raise ExpressionError(f"{expression.name} lacks its argument {field.name!r}")
    return thing(**arguments)


def _normal(expression: Expression, registry: Registry[Any]) -> Expression:
    """The expression with its arguments in order, and without those that change nothing."""
    made = _made(expression, registry)
    given = dict(expression.arguments)
    arguments: list[tuple[str, Value | Expression]] = []
    for field in _fields(type(made)):
        if field.name not in given or getattr(made, field.name) == _default(field):
            continue
        value = given[field.name]
        if isinstance(value, Expression):
            arguments.append((field.name, _normal(value, registry)))
        else:
            arguments.append((field.name, getattr(made, field.name)))
    return Expression(expression.name, tuple(arguments))


def _checked(label: str, value: Value | Expression, hint: Any, registry: Registry[Any]) -> Value:
    """`value` as one of the types that a field of type `hint` takes."""
    allowed = _plain_types(hint)
    if type(value) in allowed:
        return typing.cast(Value, value)
    if type(value) is int and float in allowed:
        with contextlib.suppress(OverflowError):
            return float(value)
    wanted = " or ".join(_KINDS[each] for each in allowed) or f"a {registry.kind}"
    shown = str(value) if isinstance(value, Expression) else repr(value)
    raise ExpressionError(f"{label} = {shown} must be {wanted}")


def _plain_types(hint: Any) -> list[type]:
    """The types of literals among the alternatives of a type hint."""
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    alternatives = typing.get_args(hint) if is_union else (hint,)
    return [each for each in alternatives if each in _KINDS]


def _fields(thing: type) -> list[dataclasses.Field]:
    return [field for field in dataclasses.fields(thing) if field.init]


def _default(field: dataclasses.Field) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
