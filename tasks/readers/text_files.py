"""Text files as they come: compressed or not, in UTF-8 or UTF-16, with any line ends.

What cannot be text is refused by name, and a file in another encoding (Latin-1, Windows-1252, ...)
with the command that converts it: a guess at the encoding would train on wrong letters unseen.
"""

import bz2
import codecs
import contextlib
import gzip
import io
import lzma
import pathlib
import re
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, BinaryIO, cast

from tasks.errors import TaskError

_HEAD_BYTES = 1 << 16


def _open_zstandard(path: pathlib.Path) -> IO[bytes]:
    import pyarrow

    return io.BufferedReader(pyarrow.input_stream(str(path), compression="zstd"))


# Told by their first bytes, whatever the file is called.
_COMPRESSIONS: tuple[tuple[re.Pattern[bytes], Callable[[Any], Any]], ...] = (
    (re.compile(rb"\x1f\x8b"), gzip.open),
    (re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), bz2.open),
    (re.compile(rb"\xfd7zXZ\x00|\x5d\x00\x00"), lzma.open),
    (re.compile(rb"\x28\xb5\x2f\xfd"), _open_zstandard),
)
_NOT_TEXT = {
    b"PK\x03\x04": "a zip archive or an office document; unpack it, or save it as CSV in UTF-8",
    b"\xd0\xcf\x11\xe0": "an old office document; save it as CSV in UTF-8",
    b"%PDF": "a PDF; extract its text",
    b"PAR1": "Parquet; task.name=text reads it from a file that ends in .parquet",
    b"ARROW1": "Arrow; task.name=text reads it from a file that ends in .arrow",
    b"SQLite format 3": "an SQLite database; task.name=text reads TFF's, ending in .sqlite",
}
# The longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


def is_compressed(path: pathlib.Path) -> bool:
    """Whether a file's first bytes are those of a known compression."""
    return _opener(path) is not None


def _opener(path: pathlib.Path) -> Callable[[Any], Any] | None:
    with open(path, "rb") as file:
        start = file.read(16)
    return next((opener for magic, opener in _COMPRESSIONS if magic.match(start)), None)


def _open_bytes(path: pathlib.Path) -> BinaryIO:
    return cast(BinaryIO, (_opener(path) or (lambda each: open(each, "rb")))(path))


@contextlib.contextmanager
def reading(path: pathlib.Path) -> Iterator[None]:
    """Makes a damaged or cut archive a `TaskError` that names it."""
    try:
        yield
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise TaskError(f"{path} is damaged or cut short ({error}); get it again") from error
    except OSError as error:
        # The system's errors have a number; bz2 and Arrow raise ones without it.
        if error.errno is not None:
            raise
        raise TaskError(f"{path} is damaged or cut short ({error}); get it again") from error


@contextlib.contextmanager
def open_text(path: pathlib.Path) -> Iterator[io.TextIOWrapper]:
    r"""A file's text; bytes that are not UTF-8 become lone surrogates (see `is_utf8`).

    Lines end in "\n", or "\r\n", of which the "\r" stays; where the file's first part has no "\n"
    but "\r", these are line ends and become "\n".

    Raises:
      TaskError: If it holds something else than text, or is damaged.
    """
    with reading(path):
        with _open_bytes(path) as file:
            head = file.read(_HEAD_BYTES)
        encoding = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
        if encoding is None:
            _refuse_binary(path, head)
        sample = head.decode(encoding or "latin-1", errors="replace")
        old_mac = "\r" in sample.removesuffix("\r") and "\n" not in sample
        with (
            _open_bytes(path) as file,
            io.TextIOWrapper(
                file,
                encoding=encoding or "utf-8-sig",
                errors="strict" if encoding else "surrogateescape",
                newline=None if old_mac else "\n",
            ) as text,
        ):
            try:
                yield text
            except UnicodeDecodeError as error:
                raise TaskError(f"{path} begins as {encoding} but is not ({error})") from error


def _refuse_binary(path: pathlib.Path, head: bytes) -> None:
    for start, what in _NOT_TEXT.items():
        if head.startswith(start):
            raise TaskError(f"{path} is {what}")
    # Of UTF-16, or an unknown binary format. A few zeros in UTF-8 are marks that normalizing drops.
    if b"\0" in head and (10 * head.count(0) > len(head) or not _begins_as_utf8(head)):
        raise TaskError(f"{path} is not text: byte {head.index(0)} is zero (UTF-16 without mark?)")


def _begins_as_utf8(head: bytes) -> bool:
    """Whether the bytes are UTF-8, but for a character that is cut at their end."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def is_utf8(text: str) -> bool:
    """Whether all bytes of a piece of a file were UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class EncodingCheck:
    """Tells a file with some damaged lines, which are left out, from one in another encoding.

    In the latter, more of the lines beyond ASCII are not UTF-8 than are.
    """

    def __init__(self, path: pathlib.Path):
        self._path = path
        self._good = self._bad = 0

    def add(self, text: str) -> None:
        """Counts a line."""
        if not text.isascii():
            if is_utf8(text):
                self._good += 1
            else:
                self._bad += 1

    def finish(self) -> None:
        """To be called at the file's end.

        Raises:
          TaskError: If the file is in another encoding; it names the first byte that shows it.
        """
        if self._bad > self._good:
            raise _not_utf8(self._path)


def _not_utf8(path: pathlib.Path) -> TaskError:
    offset = 0
    with _open_bytes(path) as file:
        for line in file:
            try:
                line.decode()
            except UnicodeDecodeError as error:
                offset += error.start
                return TaskError(
                    f"{path} is not UTF-8: byte 0x{line[error.start]:02X} at offset {offset:,}; "
                    f"convert it (iconv -f WINDOWS-1252 -t UTF-8, or from what it is in)"
                )
            offset += len(line)
    raise AssertionError("a line was not UTF-8 before")


def numbered_lines(path: pathlib.Path) -> Iterator[tuple[int, str]]:
    """Lines without their ends, and their numbers from 1; see `open_text`.

    Raises:
      TaskError: Also if the file is in another encoding, which is known at its end.
    """
    check = EncodingCheck(path)
    with open_text(path) as text:
        for number, line in enumerate(text, start=1):
            check.add(line)
            yield number, line.rstrip("\r\n")
    check.finish()
