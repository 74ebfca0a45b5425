"""Standard streams that never end a program: closed ones, terminals that are gone, poor encodings.

A program started with a closed stream (`2>&-`) would give its number to the next file that it
opens, and then write messages into that file.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import sys
from typing import Any, TextIO

_UNPRINTABLE = "backslashreplace"  # what a terminal cannot print shows as \xe9


def prepare() -> None:
    """Sees to the three streams; to be called before anything is opened or printed."""
    for number in range(3):
        _occupy(number)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 (open as long as the program)
    sys.stdout, sys.stderr = _lasting(sys.stdout, 1), _lasting(sys.stderr, 2)


def _occupy(number: int) -> None:
    """Gives a descriptor that is closed, or cannot be written to, to /dev/null."""
    with contextlib.suppress(OSError):  # closed
        mode = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE
        if number == 0 or mode != os.O_RDONLY:
            return
    opened = os.open(os.devnull, os.O_RDWR)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)


def _lasting(stream: TextIO | None, number: int) -> TextIO:
    if stream is None:
        return open(number, "w", errors=_UNPRINTABLE, closefd=False)
    if not isinstance(stream, io.TextIOWrapper):  # a notebook's
        return stream
    if not stream.isatty():
        stream.reconfigure(errors=_UNPRINTABLE)
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(_Terminal(number, "w", closefd=False)),
        encoding=stream.encoding,
        errors=_UNPRINTABLE,
        line_buffering=True,
    )


class _Terminal(io.FileIO):
    """A terminal; once it is closed, what is written goes nowhere.

    The signal that says so ends a run after its round: a message must not do so before.
    """

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return len(data)
