"""Corpora that are published as one archive: found on this machine, or downloaded and unpacked."""

from __future__ import annotations

import contextlib
import dataclasses
import lzma
import os
import pathlib
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Sequence
from typing import BinaryIO

import tqdm

from tasks import download
from tasks.cache import lock
from tasks.errors import TaskError

_BUFFER = 1 << 20


@dataclasses.dataclass(frozen=True)
class Published:
    """A corpus that is published as one archive.

    Attributes:
      source: The archive.
      unpacked: Name of the file or folder that it becomes.
      unpack: Makes that of it, whole or not at all: `unpack_lzma` or `unpack_tar`.
    """

    source: download.Source
    unpacked: str
    unpack: Callable[[str, str], None]

    def missing(self, corpus: str, places: Sequence[str], why: str = "") -> TaskError:
        """The error that says what was looked for, where, and how to get it."""
        source, looked = self.source, " or ".join(places)
        return TaskError(
            f"{corpus}: neither {self.unpacked} nor {source.name} is in {looked}{why}; "
            f"get {source.url} ({source.facts}) where there is a network, and put it into "
            f"{places[0]}, or give its folder with task.path"
        )


def find(published: Published, places: Sequence[str]) -> str | None:
    """The path of the unpacked corpus in one of the folders `places`, None if it is in none.

    An archive that lies there is unpacked beside itself, and kept.

    Raises:
      TaskError: If such an archive cannot be unpacked.
    """
    for name in (published.unpacked, published.source.name):
        for place in places:
            if os.path.exists(os.path.join(place, name)):
                return _unpacked(published, place)
    return None


def provide(corpus: str, published: Published, places: Sequence[str]) -> str:
    """The path of the unpacked corpus: `find`, or else it is downloaded into the first place.

    Args:
      corpus: Its name, for the error.
      published: What it is.
      places: Folders; they need not be there.

    Raises:
      TaskError: If it is in none of `places` and cannot be downloaded.
    """
    found = find(published, places)
    if found is not None:
        return found
    try:
        archive = download.fetch(published.source, places[0])
    except TaskError as error:
        raise published.missing(corpus, places, f", and {error}") from error
    target = _unpacked(published, places[0])
    # The corpus is there: nobody needs it twice.
    os.remove(archive)
    return target


def _unpacked(published: Published, place: str) -> str:
    target = os.path.join(place, published.unpacked)
    if os.path.exists(target):
        return target
    archive = os.path.join(place, published.source.name)
    try:
        with lock(os.path.join(place, f".{published.unpacked}.lock")):
            if not os.path.exists(target):
                print(f"unpacking {archive} ...", flush=True)
                published.unpack(archive, target)
    except (lzma.LZMAError, tarfile.TarError, zlib.error, EOFError) as error:
        raise TaskError(f"{archive} is damaged ({error}); remove it, and get it again") from error
    except OSError as error:
        raise TaskError(
            f"{archive} cannot be unpacked: {error.strerror or error}; unpack it elsewhere, and "
            "give that folder with task.path"
        ) from error
    return target


def unpack_lzma(archive: str, target: str) -> None:
    """Writes what an .lzma or .xz file holds to the file `target`."""
    temporary = f"{target}.tmp"
    try:
        with (
            open(archive, "rb") as packed,
            _progress(packed, archive) as shown,
            lzma.open(shown) as content,
            open(temporary, "wb") as file,
        ):
            shutil.copyfileobj(content, file, _BUFFER)
        os.replace(temporary, target)
    finally:
        pathlib.Path(temporary).unlink(missing_ok=True)


def unpack_tar(archive: str, target: str) -> None:
    """Makes the one folder that a .tar.gz file holds the folder `target`."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(target), prefix=".unpacking-") as folder:
        with (
            open(archive, "rb") as packed,
            _progress(packed, archive) as shown,
            tarfile.open(fileobj=shown, mode="r|*") as content,
        ):
            content.extractall(folder, filter="data")
        entries = os.listdir(folder)
        if len(entries) != 1:
            raise tarfile.TarError(f"it holds {len(entries)} things, not one folder")
        os.rename(os.path.join(folder, entries[0]), target)


def _progress(packed: BinaryIO, archive: str) -> contextlib.AbstractContextManager[BinaryIO]:
    """The file, behind a bar of its bytes on standard error, if that is a terminal."""
    return tqdm.tqdm.wrapattr(
        packed,
        "read",
        total=os.path.getsize(archive),
        desc=f"unpacking {os.path.basename(archive)}",
        disable=None,
    )
