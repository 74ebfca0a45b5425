"""Rows in JSON: one object a line, or an array of objects, told by the first character."""

import json
import re
from collections.abc import Iterator
from typing import TextIO

from tasks.corpus import BadRow, CorpusOptions
from tasks.errors import TaskError
from tasks.readers.data_files import DataFile
from tasks.readers.rows import Row, row_of_record
from tasks.readers.text_files import EncodingCheck, is_utf8, numbered_lines, open_text

_CHUNK = 1 << 16
# Longer ones are an array that lacks a quote or a bracket.
_LONGEST_ELEMENT = 1 << 24
_SPACE = re.compile(r"[ \t\r\n]*")


class _Repeated:
    """Stands for an object that gives a name two values, of which one would be lost."""

    def __init__(self, name: str):
        self.name = name


def _object(pairs: list[tuple[str, object]]) -> dict[str, object] | _Repeated:
    record = dict(pairs)
    if len(record) == len(pairs):
        return record
    names = [name for name, _ in pairs]
    return _Repeated(next(name for name in names if names.count(name) > 1))


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def parse_json(file: DataFile, options: CorpusOptions) -> Iterator[Row | BadRow]:
    """Objects with a user and a text.

    Of one object a line, each bad line is a bad row. An array is either whole or refused.

    Raises:
      TaskError: If it begins as an array but is not one.
    """
    with open_text(file.path) as text:
        start = ""
        while not start.strip() and (chunk := text.read(_CHUNK)):
            start = chunk
    parse = _parse_array if start.lstrip().startswith("[") else _parse_lines
    return parse(file, options)


def _parse_lines(file: DataFile, options: CorpusOptions) -> Iterator[Row | BadRow]:
    for number, line in numbered_lines(file.path):
        if not line.strip():
            continue
        try:
            value = _DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            reason = f"not JSON ({error})" if is_utf8(line) else "not UTF-8"
            yield BadRow(file.name, number, reason)
        else:
            yield _row(value, line, number, file, options)


def _parse_array(file: DataFile, options: CorpusOptions) -> Iterator[Row | BadRow]:
    check = EncodingCheck(file.path)
    with open_text(file.path) as text:
        for line, written, value in _Array(text, file).elements():
            check.add(written)
            yield _row(value, written, line, file, options)
    check.finish()


def _row(
    value: object, written: str, line: int, file: DataFile, options: CorpusOptions
) -> Row | BadRow:
    if not is_utf8(written):
        return BadRow(file.name, line, "not UTF-8")
    if isinstance(value, _Repeated):
        return BadRow(file.name, line, f"two values of {value.name!r}")
    if not isinstance(value, dict):
        return BadRow(file.name, line, "not a JSON object")
    return row_of_record(value, file.name, line, options)


class _Array:
    """Reads an array an element at a time: in memory is one element, not the file."""

    def __init__(self, text: TextIO, file: DataFile):
        self._text, self._file = text, file
        self._buffer, self._at, self._line = "", 0, 1

    def elements(self) -> Iterator[tuple[int, str, object]]:
        """The line on which each element begins, the element as written, and its value."""
        self._take("[")
        if self._next_character() == "]":
            return
        while True:
            self._next_character()
            line = self._line
            value, end = self._decode()
            written = self._buffer[self._at : end]
            self._advance(end)
            yield line, written, value
            if self._take(",]") == "]":
                break
        if self._next_character():
            raise self._error("something follows the array")

    def _fill(self) -> bool:
        """Reads on, more and more as an element grows; False at the file's end."""
        rest = self._buffer[self._at :]
        chunk = self._text.read(max(_CHUNK, len(rest)))
        self._buffer, self._at = rest + chunk, 0
        return bool(chunk)

    def _advance(self, to: int) -> None:
        self._line += self._buffer.count("\n", self._at, to)
        self._at = to

    def _next_character(self) -> str:
        """Skips white space; "" at the file's end."""
        while True:
            self._advance(_SPACE.match(self._buffer, self._at).end())  # type: ignore[union-attr]
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._fill():
                return ""

    def _take(self, expected: str) -> str:
        found = self._next_character()
        if not found:
            raise self._error("the array is cut short: its ']' is missing")
        if found not in expected:
            raise self._error(f"expected {' or '.join(expected)}, not {found!r}")
        self._advance(self._at + 1)
        return found

    def _decode(self) -> tuple[object, int]:
        """The value that begins here, and its end in the buffer."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
                # A number that ends where the buffer does may go on.
                if end < len(self._buffer) or not self._fill():
                    return value, end
            except (ValueError, RecursionError) as error:
                too_long = len(self._buffer) - self._at > _LONGEST_ELEMENT
                where = error.pos - self._at if isinstance(error, json.JSONDecodeError) else 0
                if too_long or not self._fill():
                    self._advance(self._at + where)
                    raise self._error(getattr(error, "msg", str(error))) from error

    def _error(self, what: str) -> TaskError:
        return TaskError(
            f"{self._file.path} is not a JSON array, at line {self._line:,}: {what}; mend it, or "
            "write one object a line (.jsonl), of which a bad one costs a line"
        )
