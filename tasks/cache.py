"""Folders that are whole or not there: prepared data, named by all that went into it."""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import pathlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping

from tasks.errors import TaskError

_MANIFEST = "manifest.json"
_KEY_LENGTH = 16


def default_cache_dir() -> str:
    """`$TFF_LM_CACHE`, or `~/.cache/tff_lm`."""
    return os.environ.get("TFF_LM_CACHE") or os.path.expanduser("~/.cache/tff_lm")


def cache_key(ingredients: Mapping[str, object]) -> str:
    """A short hash of named ingredients (anything JSON can hold)."""
    text = json.dumps(ingredients, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


def prepare_folder(folder: str, fill: Callable[[str], None]) -> str:
    """Returns the folder, filled: at once if it is there and whole, else after calling `fill`.

    `fill` works in a temporary folder beside it, which is renamed when everything is written. A
    killed preparation therefore leaves nothing that counts; its remains go with the next one.
    Processes that ask for the same folder at once take turns, and all but the first find it ready.

    Args:
      folder: The folder; its name should hold a `cache_key`.
      fill: Writes files into the folder whose path it is given.

    Returns:
      `folder`.

    Raises:
      TaskError: If the folder around it cannot be written to.
    """
    if _is_whole(folder):
        return folder
    parent, name = os.path.split(os.path.abspath(folder))
    with _writing(parent):
        return _prepare(folder, parent, name, fill)


@contextlib.contextmanager
def _writing(parent: str) -> Iterator[None]:
    """Names the folder of prepared data, and its variable, where that cannot be written to."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        # Reading the user's own text can fail as well, but names a file elsewhere.
        path = os.path.abspath(getattr(error, "filename", None) or parent)
        if os.path.commonpath([parent, path]) not in (parent, path):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise TaskError(
            f"the folder of prepared data, {parent}, cannot be written to ({reason}: {path}); make "
            "room or make it writable there, or name another by TFF_LM_CACHE (or cache_dir)"
        ) from error


def _prepare(folder: str, parent: str, name: str, fill: Callable[[str], None]) -> str:
    os.makedirs(parent, exist_ok=True)
    with lock(os.path.join(parent, f".{name}.lock")):
        _discard_remains(parent, name)
        if _is_whole(folder):
            return folder
        if os.path.exists(folder):
            logging.getLogger(__name__).warning("%s is damaged; preparing it again", folder)
            os.rename(folder, tempfile.mkdtemp(dir=parent, prefix=_temporary_prefix(name)))
        temporary = tempfile.mkdtemp(dir=parent, prefix=_temporary_prefix(name))
        try:
            fill(temporary)
            _write_manifest(temporary)
            os.chmod(temporary, 0o755)
            os.rename(temporary, folder)
        finally:
            _discard_remains(parent, name)
    return folder


def _temporary_prefix(name: str) -> str:
    return f".{name}.tmp-"


def _discard_remains(parent: str, name: str) -> None:
    """Removes what killed preparations left; whoever holds the lock is the only one at work."""
    for remains in pathlib.Path(parent).glob(_temporary_prefix(name) + "*"):
        shutil.rmtree(remains, ignore_errors=True)


@contextlib.contextmanager
def lock(path: str) -> Iterator[None]:
    """Holds an exclusive lock, which the system releases however the process ends."""
    with open(path, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _file_sizes(folder: str) -> dict[str, int]:
    """Size in bytes of each file in the folder but the manifest."""
    return {
        each.name: each.stat().st_size
        for each in sorted(pathlib.Path(folder).iterdir())
        if each.name != _MANIFEST
    }


def _write_manifest(folder: str) -> None:
    with open(os.path.join(folder, _MANIFEST), "w", encoding="utf-8") as file:
        json.dump({"file_sizes": _file_sizes(folder)}, file, indent=2)


def _is_whole(folder: str) -> bool:
    """Whether the folder holds its manifest and every file at the size stated there."""
    try:
        with open(os.path.join(folder, _MANIFEST), encoding="utf-8") as file:
            return json.load(file)["file_sizes"] == _file_sizes(folder)
    except (OSError, ValueError, KeyError):
        return False
