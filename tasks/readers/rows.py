"""A row of a table, checked: a person's name and one text of theirs."""

import math
import unicodedata
from collections.abc import Mapping

from tasks.corpus import BadRow, CorpusOptions
from tasks.normalization import normalize_text

# A user's id and one text of theirs.
Row = tuple[str, str]

# From here on not every whole number is a double: two people's numbers may have become one.
_EXACT_DOUBLES = 2.0**53


def user_name(value: str) -> str:
    """A user's id as it is compared: Unicode NFC, without white space around it."""
    return unicodedata.normalize("NFC", value).strip()


def is_empty(text: str) -> bool:
    """Whether nothing of a text remains when it is normalized."""
    # Letters and digits remain, and nearly every text has one.
    return not any(map(str.isalnum, text)) and not normalize_text(text, lower_case=False)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _as_text(value: object) -> object:
    """Numbers and UTF-8 bytes as text; what cannot be, unchanged."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    # pandas turns a column of whole numbers with a gap into floats.
    if isinstance(value, float) and abs(value) < _EXACT_DOUBLES:
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def row_of_record(
    record: Mapping[str, object], source: str, line: int, options: CorpusOptions
) -> Row | BadRow:
    """Checks the two columns of a record.

    Args:
      record: Values by column.
      source: File, as the user would name it.
      line: Where in it the record begins.
      options: They name the columns.
    """
    for column in (options.user_column, options.text_column):
        if _is_missing(record.get(column)):
            return BadRow(source, line, f"no {column!r}")
    user, text = _as_text(record[options.user_column]), record[options.text_column]
    text = _as_text(text) if isinstance(text, bytes) else text
    if not isinstance(user, str):
        reason = "neither text nor a number that is exact"
        return BadRow(source, line, f"{options.user_column!r} is {reason}")
    if not isinstance(text, str):
        return BadRow(source, line, f"{options.text_column!r} is not text")
    if any("\ud800" <= character <= "\udfff" for character in user):
        return BadRow(source, line, f"{options.user_column!r} is not valid Unicode")
    user = user_name(user)
    if not user or is_empty(text):
        empty = options.text_column if user else options.user_column
        return BadRow(source, line, f"{empty!r} is empty")
    if "\0" in user:
        return BadRow(source, line, f"{options.user_column!r} holds a NUL")
    return user, text
