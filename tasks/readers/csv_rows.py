"""Tables in CSV, with commas, semicolons, tabs or bars, told by their header.

A quoted text may span lines, and so may what a broken quote swallows. What tells them apart is who
else is in the file (`_Survey`), so a file with such a text in doubt is read twice.
"""

import collections
import csv
import dataclasses
import functools
from collections.abc import Callable, Iterator

from tasks.corpus import BadRow, CorpusOptions
from tasks.errors import TaskError, unknown_name
from tasks.readers.csv_records import Broken, Grammar, Record, Spanning, records
from tasks.readers.data_files import DataFile
from tasks.readers.rows import Row, row_of_record, user_name
from tasks.readers.text_files import is_utf8, numbered_lines

_DELIMITERS = ",;\t|"
# Beside a broken row, at most so many rows are left out for doubt in whose they are.
_MOST_DOUBTFUL = 100
_DOUBTFUL = "in doubt: beside an unbalanced quote, in a file with texts of several lines"


def parse_csv(file: DataFile, options: CorpusOptions) -> Iterator[Row | BadRow]:
    """Rows below a header line that names the columns.

    A row is left out, and nothing else, where a quote is unbalanced. What reads as one text of
    several lines is left out if these read as rows of people in the file: all of them, or any where
    the file has an unbalanced quote. (They are read as such if no text spans lines for sure.)

    Raises:
      TaskError: If the header lacks a column, or names it twice.
    """
    lines = numbered_lines(file.path)
    header = _header(lines, file, options)
    if header is None:
        yield BadRow(file.name, 0, "empty")
        return
    names, grammar = header

    @functools.cache
    def survey() -> _Survey:
        again = numbered_lines(file.path)
        _header(again, file, options)
        return _survey(again, grammar)

    rows = records(lines, grammar, functools.partial(_judge, grammar=grammar, survey=survey))
    for row in _without_doubtful(rows, grammar, survey):
        if isinstance(row, Broken):
            yield BadRow(file.name, row.line, row.reason)
        elif not all(map(is_utf8, row.lines)):
            yield BadRow(file.name, row.line, "not UTF-8")
        else:
            record = dict(zip(names, row.values, strict=True))
            yield row_of_record(record, file.name, row.line, options)


def _header(
    lines: Iterator[tuple[int, str]], file: DataFile, options: CorpusOptions
) -> tuple[list[str], Grammar] | None:
    """The names of the columns, and the grammar: the delimiter is the one that finds both columns.

    Takes the header's line, or returns None if there is none. Excel's own first line "sep=;" is
    skipped.
    """
    line = next((line for _, line in lines if line.strip() and not line.startswith("sep=")), None)
    if line is None:
        return None
    try:
        readings = {
            delimiter: [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
            for delimiter in _DELIMITERS
        }
    except csv.Error as error:
        raise TaskError(f"{file.name} does not begin with names of columns ({error})") from error
    wanted = (options.user_column, options.text_column)
    delimiter = max(
        _DELIMITERS,
        key=lambda each: (sum(name in readings[each] for name in wanted), len(readings[each])),
    )
    names = readings[delimiter]
    for column in wanted:
        if column not in names:
            raise unknown_name(f"column (in the header of {file.name})", column, names)
        if names.count(column) > 1:
            raise TaskError(f"{file.name} has two columns {column!r}; rename one in its header")
    return names, Grammar(delimiter, len(names), names.index(options.user_column))


@dataclasses.dataclass(frozen=True)
class _Survey:
    """What a whole file says of its quotes.

    Attributes:
      people: How many rows each person has, those aside that a text of several lines may hold.
      broken: Whether a quote is unbalanced somewhere.
      spanning: Whether a text spans lines for sure: none of its further lines reads as a row.
    """

    people: collections.Counter[str]
    broken: bool
    spanning: bool


def _survey(lines: Iterator[tuple[int, str]], grammar: Grammar) -> _Survey:
    people: collections.Counter[str] = collections.Counter()
    broken = spanning = False
    for row in records(lines, grammar):
        if isinstance(row, Broken):
            broken |= row.by_quote
        else:
            people[user_name(row.values[grammar.user])] += 1
            broken |= row.stray_quote
            further = map(grammar.lenient_user, row.lines[1:])
            spanning |= len(row.lines) > 1 and all(user is None for user in further)
    del people[""]
    return _Survey(people, broken, spanning)


def _judge(record: Record, grammar: Grammar, survey: Callable[[], _Survey]) -> Spanning:
    """Whether a row that spans lines is one, or some that two broken quotes have joined."""
    found = [grammar.lenient_user(line) for line in record.lines[1:]]
    if all(user is None for user in found):
        return Spanning.ONE_ROW
    # One row of somebody may itself be a line of a broken text.
    least = 2 if survey().spanning else 1
    known = any(survey().people[user_name(user or "")] >= least for user in found)
    if not known or (None in found and not survey().broken):
        return Spanning.ONE_ROW
    return Spanning.IN_DOUBT if survey().spanning else Spanning.SEVERAL_ROWS


def _without_doubtful(
    rows: Iterator[Record | Broken], grammar: Grammar, survey: Callable[[], _Survey]
) -> Iterator[Record | Broken]:
    """Leaves out, in a file with texts of several lines, what may be pieces of a broken one.

    These are the rows before and after a broken quote, up to the nearest of a person who has other
    rows. (A line "well, yes" of such a text reads as a row of a person "well".)
    """
    held: collections.deque[Record] = collections.deque()
    after = 0
    for row in rows:
        if isinstance(row, Record):
            suspect = (after or row.stray_quote) and survey().spanning
            if not (suspect and _is_only_row(row, grammar, survey)):
                after = 0
                held.append(row)
                if len(held) > _MOST_DOUBTFUL:
                    yield held.popleft()
                continue
            breaks = row.stray_quote
            row = Broken(row.line, _DOUBTFUL)
        else:
            breaks = row.by_quote and survey().spanning
        after = _MOST_DOUBTFUL if breaks else max(0, after - 1)
        while breaks and held and _is_only_row(held[-1], grammar, survey):
            yield Broken(held.pop().line, _DOUBTFUL)
        yield row
    yield from held


def _is_only_row(record: Record, grammar: Grammar, survey: Callable[[], _Survey]) -> bool:
    """Whether its person has no other row."""
    return survey().people[user_name(record.values[grammar.user])] < 2
