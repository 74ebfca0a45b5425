"""The grammar of expressions such as `scaled(eden(bits=2))`: from text to a tree, without `eval`.

    sequence   = [ expression { ("," | "|") expression } ]
    expression = NAME [ "(" [ argument { "," argument } [ "," ] ] ")" ]
    argument   = NAME "=" value | expression
    value      = [ "-" ] NUMBER | True | False | STRING | expression

An argument without a name is what the expression is put around; there is at most one. A string
stands in single or double quotes and holds anything but its quote and line ends: a backslash is a
backslash. `tff_lm.expressions` knows what the names mean.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator

INNER = "inner"  # the argument that may stand without its name: what a wrapper is put around
MAX_DEPTH = 20  # of expressions in one another; each level is a level of Python's recursion

Value = bool | int | float | str

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>-?\s*(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<text>'[^'\r\n]*'|"[^"\r\n]*")
    |(?P<sign>[(),=|])
    |(?P<end>\Z)
    )""",
    re.VERBOSE,
)
_WHOLE = re.compile(r"-?\s*[0-9]+")
_TRUTHS = {"True": True, "False": False}


class ExpressionError(ValueError):
    """An expression that means nothing, in one line: its text and what is wrong with it."""


@dataclasses.dataclass(frozen=True)
class Expression:
    """A name with its arguments in the order in which they were written.

    `str` writes it in one way, whatever the spaces were; `parse` reads that back.
    """

    name: str
    arguments: tuple[tuple[str, Value | Expression], ...] = ()

    def __str__(self) -> str:
        arguments = [
            str(value)
            if name == INNER and isinstance(value, Expression)
            else f"{name}={_written(value)}"
            for name, value in self.arguments
        ]
        return f"{self.name}({', '.join(arguments)})" if arguments else self.name


@dataclasses.dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def parse_expression(text: str) -> Expression:
    """The one expression in `text`.

    Raises:
      ExpressionError: If it is not one; the message does not repeat `text`.
    """
    parser = _Parser(text)
    expression = parser.expression()
    parser.expect_end()
    return expression


def parse_sequence(text: str) -> tuple[Expression, ...]:
    """Expressions separated by commas or bars; none in an empty text.

    Raises:
      ExpressionError: As `parse_expression`.
    """
    parser = _Parser(text)
    found: list[Expression] = []
    while not parser.at_end():
        found.append(parser.expression())
        if not parser.take(",", "|"):
            parser.expect_end()
    return tuple(found)


class _Parser:
    """Recursive descent, one token ahead."""

    def __init__(self, text: str):
        self._tokens = _tokens(text)
        self._next = next(self._tokens)

    def at_end(self) -> bool:
        return self._next.kind == "end"

    def expect_end(self) -> None:
        if not self.at_end():
            raise ExpressionError(f"{self._next.text} stands where it should end")

    def take(self, *signs: str) -> bool:
        """Whether one of `signs` comes next; if so, it is passed."""
        found = self._next.kind == "sign" and self._next.text in signs
        if found:
            self._advance()
        return found

    def expression(self, depth: int = 1) -> Expression:
        name = self._name("a name is expected")
        return self._called(name, depth)

    def _called(self, name: str, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise ExpressionError(f"more than {MAX_DEPTH} expressions stand in one another")
        arguments: dict[str, Value | Expression] = {}
        if self.take("("):
            while not self.take(")"):
                argument, value = self._argument(name, depth)
                if argument in arguments:
                    raise ExpressionError(f"{name} has its argument {argument!r} twice")
                arguments[argument] = value
                if not self.take(","):
                    if not self.take(")"):
                        raise ExpressionError(f"',' or ')' is expected{self._instead()}")
                    break
        return Expression(name, tuple(arguments.items()))

    def _argument(self, owner: str, depth: int) -> tuple[str, Value | Expression]:
        name = self._name(f"{owner} takes its arguments by name, as in name=1")
        if self.take("="):
            return name, self._value(depth)
        return INNER, self._called(name, depth + 1)

    def _value(self, depth: int) -> Value | Expression:
        token = self._next
        if token.kind == "number":
            self._advance()
            return _number(token.text)
        if token.kind == "text":
            self._advance()
            return token.text[1:-1]
        name = self._name("a number, True, False, a text in quotes or an expression is expected")
        return _TRUTHS[name] if name in _TRUTHS else self._called(name, depth + 1)

    def _name(self, otherwise: str) -> str:
        token = self._next
        if token.kind != "name":
            raise ExpressionError(otherwise + self._instead())
        self._advance()
        return token.text

    def _instead(self) -> str:
        return " where the text ends" if self.at_end() else f", not {self._next.text}"

    def _advance(self) -> None:
        self._next = next(self._tokens)


def _tokens(text: str) -> Iterator[_Token]:
    """The tokens of `text`, the last of which is its end."""
    position = 0
    while True:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            rest = text[position:].strip()[:1]
            what = "a text lacks its closing quote" if rest in "'\"" else f"{rest!r} means nothing"
            raise ExpressionError(f"{what} here")
        yield _Token(match.lastgroup, match[match.lastgroup])
        position = match.end()


def _number(text: str) -> int | float:
    if len(text) > 100:
        raise ExpressionError(f"{text[:20]}... is too long for a number")
    if _WHOLE.fullmatch(text):
        return int("".join(text.split()))
    value = float("".join(text.split()))
    if not math.isfinite(value):
        raise ExpressionError(f"{text} is too large for a number")
    return value


def _written(value: Value | Expression) -> str:
    if not isinstance(value, str):
        return str(value) if isinstance(value, Expression) else repr(value)
    for quote in "'\"":
        if quote not in value and not re.search("[\r\n]", value):
            return f"{quote}{value}{quote}"
    raise ExpressionError(f"{value!r} cannot be written: it has line ends or both kinds of quotes")
