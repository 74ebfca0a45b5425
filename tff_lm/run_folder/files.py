"""Writing files that are either there in full or not at all."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator
from typing import BinaryIO

_TEMPORARY = ".partial"


@contextlib.contextmanager
def naming(path: pathlib.Path) -> Iterator[None]:
    """Gives `path` to an error that names no file, as those of writing to an open one do."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@contextlib.contextmanager
def atomic(path: pathlib.Path) -> Iterator[BinaryIO]:
    """Opens a temporary neighbour of `path` that takes its place when the block ends well.

    Data reach the disk before the rename does: after a power cut the file is old or new.
    When the block fails, the temporary is removed and the old file stays.
    """
    temporary = path.with_name(f".{path.name}{_TEMPORARY}")
    try:
        with naming(path), open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def write_text(path: pathlib.Path, text: str) -> None:
    """Replaces the content of `path` atomically."""
    with atomic(path) as file:
        file.write(text.encode())


def sync_directory(path: pathlib.Path) -> None:
    """Makes renames in `path` durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(folder: pathlib.Path) -> None:
    """Removes the temporaries that a killed process left in `folder`."""
    for path in folder.glob(f".*{_TEMPORARY}"):
        path.unlink(missing_ok=True)
