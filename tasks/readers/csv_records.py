"""Rows of CSV (RFC 4180) such that a broken quote costs the row it is in, and no other.

Python's `csv` reads on to the next quote wherever that is, and hands over what lies between, other
people's rows too, as one text. Here the grammar is strict, and after a row that breaks it reading
goes on with the next line.
"""

import collections
import csv
import dataclasses
import enum
import functools
import re
from collections.abc import Callable, Iterator


@dataclasses.dataclass(frozen=True)
class Grammar:
    """What a table's header says of its rows.

    Attributes:
      delimiter: Between values.
      columns: How many values a row has.
      user: Which of them, from 0, is the person.
    """

    delimiter: str
    columns: int
    user: int

    def lenient_user(self, line: str) -> str | None:
        """The person of a line that reads as a row by itself, its quotes aside; else None."""
        try:
            values = next(csv.reader([line.replace("\r", " ")], delimiter=self.delimiter), [])
        except csv.Error:
            return None
        return values[self.user] if len(values) == self.columns else None


@dataclasses.dataclass(frozen=True)
class Record:
    """A row.

    Attributes:
      line: Number of its first line.
      lines: The lines it spans, as they stand in the file.
      values: Its values.
      stray_quote: Whether it has values without quotes around them that hold an odd number of
        quotes, which are taken as they are (6" tall).
    """

    line: int
    lines: tuple[str, ...]
    values: list[str]
    stray_quote: bool = False


@dataclasses.dataclass(frozen=True)
class Broken:
    """What is not a row: its first line, why, and whether a quote is the cause."""

    line: int
    reason: str
    by_quote: bool = True


class Spanning(enum.Enum):
    """What a row that spans lines may be."""

    ONE_ROW = enum.auto()
    IN_DOUBT = enum.auto()
    SEVERAL_ROWS = enum.auto()  # Joined by a broken quote in the first and one in the last.


_UNBALANCED = "an unbalanced quote"
_IN_DOUBT = "in doubt: its further lines read as rows of people in the file"


def records(
    lines: Iterator[tuple[int, str]],
    grammar: Grammar,
    judge: Callable[[Record], Spanning] = lambda record: Spanning.ONE_ROW,
) -> Iterator[Record | Broken]:
    """Cuts lines into rows; blank lines are skipped.

    Memory holds one row, of at most `csv.field_size_limit()` characters a value.

    Args:
      lines: Numbers and lines without their ends.
      grammar: The table's.
      judge: Asked of each row that spans lines.
    """
    ahead: collections.deque[tuple[int, str]] = collections.deque()

    def take() -> tuple[int, str] | None:
        return ahead.popleft() if ahead else next(lines, None)

    while (first := take()) is not None:
        if not first[1].strip(" \r"):
            continue
        used = [first]

        def feed(used: list[tuple[int, str]] = used) -> Iterator[str]:
            # A "\r" within a line is white space; csv would take it for the line's end.
            yield used[0][1].replace("\r", " ") + "\n"
            while (following := take()) is not None:
                used.append(following)
                yield following[1].replace("\r", " ") + "\n"

        row = _row(used, csv.reader(feed(), delimiter=grammar.delimiter, strict=True), grammar)
        verdict = judge(row) if isinstance(row, Record) and len(used) > 1 else Spanning.ONE_ROW
        if isinstance(row, Broken):
            ahead.extendleft(reversed(used[1:]))
        elif verdict is Spanning.SEVERAL_ROWS:
            ahead.extendleft(reversed(used[1:-1]))
            yield Broken(used[-1][0], _UNBALANCED)
            row = Broken(first[0], _UNBALANCED)
        elif verdict is Spanning.IN_DOUBT:
            row = Broken(first[0], _IN_DOUBT, by_quote=False)
        elif len(row.values) != grammar.columns:
            found = f"{len(row.values)}, not {grammar.columns}"
            reason = f"not as many values as the header has ({found})"
            # Of a text in quotes that lost the first one, the last line looks like this.
            row = Broken(first[0], reason, by_quote=row.stray_quote)
        yield row


def _row(
    used: list[tuple[int, str]], reader: Iterator[list[str]], grammar: Grammar
) -> Record | Broken:
    """The row that begins at `used[0]`; the reader adds to `used` what it takes."""
    line = used[0][0]
    try:
        values = next(reader)
    except csv.Error as error:
        too_long = len(used) == 1 and "limit" in str(error)
        return Broken(line, f"not CSV ({error})" if too_long else _UNBALANCED, not too_long)
    lines = tuple(text for _, text in used)
    text = "\n".join(lines)
    quotes = text.count('"')
    if not quotes or _strict(grammar.delimiter).fullmatch(text):
        return Record(line, lines, values)
    # Quotes within values: fine where no value has quotes around it, unless the person's name is
    # cut by one.
    begins_quoted = re.search(rf'(?:^|{re.escape(grammar.delimiter)})"', text)
    names_person = len(values) > grammar.user and values[grammar.user].count('"') % 2
    if begins_quoted or names_person:
        return Broken(line, _UNBALANCED)
    return Record(line, lines, values, stray_quote=bool(quotes % 2))


@functools.cache
def _strict(delimiter: str) -> re.Pattern[str]:
    d = re.escape(delimiter)
    value = rf'(?:"(?:[^"]|"")*+"|[^"\n{d}]*+)'
    return re.compile(rf"{value}(?:{d}{value})*+")
