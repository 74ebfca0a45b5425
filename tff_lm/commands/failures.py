"""How every program ends that cannot go on: one line on standard error, and an exit code.

2: a mistake of the user, or something of the system that is missing, full or forbidden; the line
names it and its remedy. 1: a run that failed for another reason that is known. 130: Ctrl-C. What
is none of these is a fault of ours, and keeps its traceback.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

from absl import app

from tasks.errors import TaskError
from tff_lm.commands import streams
from tff_lm.config import command_line
from tff_lm.config.option import ConfigError
from tff_lm.program.interrupt import Interrupted
from tff_lm.run_folder.errors import DamagedFileError, RunError
from tff_lm.runtime.errors import (
    ComputationError,
    RuntimeFailure,
    WorkerLostError,
    WorkerStartError,
)
from tff_lm.runtime.network.certificates import CertificateError

_MISTAKES = (ConfigError, TaskError, CertificateError, DamagedFileError)
_SYSTEM = (OSError, sqlite3.Error, MemoryError)
_RUN = (RunError, WorkerStartError, WorkerLostError, ComputationError, RuntimeFailure)

_INTERRUPTED = 128 + signal.SIGINT

_FREE = "free some space there"
_ACCESS = "make it readable and writable for you, or name another place"
_OTHER = "name another place"
_REMEDIES = {
    errno.EACCES: _ACCESS,
    errno.EPERM: _ACCESS,
    errno.EROFS: _ACCESS,
    errno.ENOSPC: _FREE,
    errno.EDQUOT: _FREE,
    errno.EFBIG: "allow larger files, as by `ulimit -f unlimited`",
    errno.ENOENT: "restore it, or name another place",
    errno.ENOTDIR: _OTHER,
    errno.EISDIR: _OTHER,
    errno.EEXIST: _OTHER,
    errno.ENAMETOOLONG: "name a shorter one",
    errno.EMFILE: "allow more open files, as by `ulimit -n 4096`",
    errno.ENFILE: "allow more open files",
    errno.EAGAIN: "allow more processes, as by `ulimit -u 4096`",
    errno.ENOMEM: "free memory, or allow more by `ulimit -v`",
}
# Of TensorFlow's errors those that files cause; the others are faults of ours.
_TENSORFLOW = {
    "PermissionDeniedError": _ACCESS,
    "NotFoundError": _REMEDIES[errno.ENOENT],
    "ResourceExhaustedError": "free space on the disk, or memory",
    "DataLossError": "restore the file",
    "UnknownError": "look at the file",
}
_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_THREAD = "can't start new thread"


def run(main: Callable[[Sequence[str]], int | None]) -> NoReturn:
    """Parses the flags, runs `main(positional arguments)` and exits with what it returns."""
    streams.prepare()
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # as `bin` has set it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.excepthook = _of_thread
    try:
        code = _code(main)
    except BrokenPipeError:
        code = 1
    try:
        sys.stdout.flush()
    except OSError as error:
        if not code:
            # A reader that has seen enough (`| head`) is no error.
            code = 1 if isinstance(error, BrokenPipeError) else answer(error)
        # What is left in its buffer would fail once more at the end, in Python's own words.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _code(main: Callable[[Sequence[str]], int | None]) -> str | int | None:
    """What the program's exit code is to be."""
    try:
        return app.run(lambda argv: main(argv[1:]), flags_parser=command_line.parse)
    except SystemExit as end:
        return end.code
    except BrokenPipeError:
        raise
    except Interrupted as interrupted:
        return interrupted.exit_code
    except KeyboardInterrupt:
        _say("stopped")
        return _INTERRUPTED
    except Exception as error:
        if not is_known(error):
            raise
        return answer(error)


def _of_thread(arguments: threading.ExceptHookArgs) -> None:
    """A thread that finds no room for another leaves it to the main one to say so."""
    if _NO_THREAD not in str(arguments.exc_value):
        threading.__excepthook__(arguments)


def is_known(error: Exception) -> bool:
    """Whether a line says all that the user needs of it."""
    known = isinstance(error, (*_MISTAKES, *_SYSTEM, *_RUN))
    return known or _of_tensorflow(error) is not None or _NO_THREAD in str(error)


def answer(error: Exception) -> int:
    """Says in a line what failed and what to do about it; returns the exit code."""
    _say(f"error: {' '.join(describe(error).split())}")
    of_the_user = any(isinstance(each, (*_MISTAKES, *_SYSTEM)) for each in _causes(error))
    return 1 if isinstance(error, _RUN) and not of_the_user else command_line.EXIT_CODE


def describe(error: Exception) -> str:
    """What failed, and what to do about it."""
    remedy = _of_tensorflow(error)
    if remedy is not None:
        return f"{getattr(error, 'message', error)}; {remedy}{_AGAIN}"
    if isinstance(error, OSError):
        return _describe_system(error)
    if isinstance(error, sqlite3.Error):
        return f"a file of the run or of the prepared data: {error}; {_FREE}{_AGAIN}"
    if isinstance(error, MemoryError):
        return f"not enough memory; {_REMEDIES[errno.ENOMEM]}{_AGAIN}"
    if _NO_THREAD in str(error):
        return f"{error}; {_REMEDIES[errno.EAGAIN]}{_AGAIN}"
    if isinstance(error, WorkerLostError):
        return f"{error}. Memory, processes or files may be limited: `ulimit -a` shows it"
    return str(error)


_AGAIN = ", and run the same command again"


def _describe_system(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    named = [os.fsdecode(name) for name in (error.filename, error.filename2) if _is_path(name)]
    if not named and error.errno in _WRITING:  # files that we write are named (`files.naming`)
        named = ["standard output"]
    what = f"{' -> '.join(named)}: {reason}" if named else reason
    remedy = _REMEDIES.get(error.errno or 0, "mend that")
    return f"{what}; {remedy}{_AGAIN}"


def _is_path(name: object) -> bool:
    return isinstance(name, (str, bytes)) and bool(name)


def _of_tensorflow(error: BaseException) -> str | None:
    """The remedy for an error of TensorFlow's about files; None of any other."""
    if not type(error).__module__.startswith("tensorflow."):
        return None
    return _TENSORFLOW.get(type(error).__name__)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """`error`, and what it was raised for."""
    while error is not None:
        yield error
        error = error.__cause__


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody is left to read it
        print(line, file=sys.stderr, flush=True)
