"""A rule of a BUILD file, its labels, and the error that says why there can be none."""

import dataclasses
import pathlib
from collections.abc import Iterable

from tools import python_files

TESTS = "tests"


class BuildError(Exception):
    """Files from which no BUILD files can be made.

    Attributes:
      problems: one line each.
    """

    def __init__(self, problems: Iterable[str]):
        self.problems = sorted(set(problems))
        super().__init__("\n".join(self.problems))


@dataclasses.dataclass
class Rule:
    """A rule of a BUILD file.

    Attributes:
      kind: `py_library`, `py_binary` or `py_test`.
      package: the folder of the BUILD file, relative to the root.
      name: of the target.
      files: its sources; none for the entries of a registry.
      dependencies: labels in full, `//package:name` or `@pypi//name`.
    """

    kind: str
    package: pathlib.PurePath
    name: str
    files: list[python_files.PythonFile]
    dependencies: set[str] = dataclasses.field(default_factory=set)

    @property
    def label(self) -> str:
        """The label in full."""
        return f"//{self.package.as_posix()}:{self.name}"

    @property
    def data(self) -> set[str]:
        """The labels in full of the targets among its declared data."""
        return {full(value) for value in self.declared("data") if value.startswith("//")}

    def declared(self, key: str) -> list[str]:
        """Returns what the `# bazel:` lines of its sources say about `key`."""
        return sorted({value for file in self.files for value in file.declared[key]})


def full(label: str) -> str:
    """Returns `//a/b:b` for `//a/b`."""
    return label if ":" in label else f"{label}:{label.rpartition('/')[2]}"
