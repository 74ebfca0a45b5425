"""Which files of a folder are read, and what they are called."""

import dataclasses
import os
import pathlib
import unicodedata
from collections.abc import Collection, Iterable

from tasks.corpus import BadRow
from tasks.errors import TaskError

# A file may have one of these after the suffix that says what is in it: "messages.csv.gz".
COMPRESSED_SUFFIXES = (".gz", ".bz2", ".xz", ".lzma", ".zst")

# What systems and editors leave in folders, beside all names that begin with a dot (hidden files,
# .ipynb_checkpoints, macOS' "._" doubles) or with "~$" (a document that is open).
_NOT_DATA = frozenset({"__MACOSX", "__pycache__"})
# Describe the .arrow files of a folder that the package `datasets` saved.
_ARROW_METADATA = frozenset({"dataset_info.json", "state.json", "dataset_dict.json"})


@dataclasses.dataclass(frozen=True)
class DataFile:
    """A file to read.

    Attributes:
      path: Where it lies.
      name: Its path below the folder that was given, with "/", or its own name.
    """

    path: pathlib.Path
    name: str

    @property
    def kind(self) -> str:
        """Its suffix in lower case, such as ".csv", without that of a compression."""
        return _suffixes(self.name)[1]

    @property
    def person(self) -> str:
        """Its name without suffixes: whose text it is, where a file is a person's."""
        stem, kind, compression = _suffixes(self.name)
        del kind, compression
        return unicodedata.normalize("NFC", stem)


def _suffixes(name: str) -> tuple[str, str, str]:
    """The name without suffixes, the suffix that says what is in the file, its compression."""
    path = pathlib.PurePosixPath(name)
    compression = path.suffix.lower() if path.suffix.lower() in COMPRESSED_SUFFIXES else ""
    if compression:
        path = path.with_suffix("")
    return str(path.with_suffix("")), path.suffix.lower(), compression


def is_hidden(path: pathlib.PurePath) -> bool:
    """Whether a path below a folder is none of its owner's data (see `_NOT_DATA`)."""
    return any(part.startswith((".", "~$")) or part in _NOT_DATA for part in path.parts)


def find_files(
    task: str, path: str | None, kinds: Collection[str]
) -> tuple[list[DataFile], list[BadRow]]:
    """The file, or the files of the folder and its subfolders that can be read, sorted.

    Args:
      task: Name of the task, for messages.
      path: A file or a folder.
      kinds: Suffixes that can be read.

    Returns:
      The files, and those of the folder that cannot be read. Hidden files are in neither.

    Raises:
      TaskError: If there is nothing to read.
    """
    root = existing(task, path)
    endings = f"{', '.join(kinds)}, alone or with {', '.join(COMPRESSED_SUFFIXES)}"
    if root.is_file():
        file = DataFile(root, printable(root.name))
        if file.kind not in kinds:
            raise TaskError(f"{task}: cannot read {path}; a file ends in {endings}")
        return [file], []
    found = _visible(root)
    files = [file for file in found if file.kind in kinds]
    if any(file.kind == ".arrow" for file in files):
        files = [file for file in files if file.path.name not in _ARROW_METADATA]
    if not files:
        raise TaskError(f"{task}: no file in {path} ends in {endings}")
    return files, [
        BadRow(file.name, 0, "not read: its name has none of the endings that are")
        for file in found
        if file.kind not in kinds
    ]


def existing(task: str, path: str | None) -> pathlib.Path:
    """The path of the options, or a `TaskError` if none is given or nothing is there."""
    if path is None:
        raise TaskError(f"{task}: say where your text lies, with task.path (a file or a folder)")
    root = pathlib.Path(path)
    if not root.exists():
        raise TaskError(f"{task}: there is nothing at {path}")
    return root


def _visible(root: pathlib.Path) -> list[DataFile]:
    paths: Iterable[pathlib.Path] = sorted(each for each in root.rglob("*") if each.is_file())
    below = [(path, path.relative_to(root)) for path in paths]
    return [
        DataFile(path, printable(name.as_posix())) for path, name in below if not is_hidden(name)
    ]


def printable(name: str) -> str:
    """The name, with bytes that are not UTF-8 as their numbers."""
    return os.fsencode(name).decode(errors="backslashreplace")
