"""Writes the BUILD files of all folders with Python files, from their imports.

What is no import is declared in the file that it is about: tools/python_files.py lists the
`# bazel:` lines. The root's BUILD file, and those of folders without Python files, are written by
hand.

    python -m tools.build_files           # writes them, and removes those of folders that are gone
    python -m tools.build_files --check   # names those that are stale and exits with 1
"""

import argparse
import ast
import importlib.metadata
import os
import pathlib
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping

from tools import build_rules, build_text, locked_packages, python_files
from tools.rule import BuildError, Rule, full


def build_files(
    root: pathlib.Path, distributions: Mapping[str, Collection[str]]
) -> dict[pathlib.PurePath, str]:
    """Returns the text of each BUILD file that the Python files under `root` ask for.

    Args:
      root: the repository's folder, with its requirements.txt.
      distributions: the installed packages by the names that are imported, as
        `importlib.metadata.packages_distributions` has them.

    Raises:
      BuildError: an import or a `# bazel:` line leads nowhere.
    """
    labels = locked_packages.locked((root / "requirements.txt").read_text())
    files = [python_files.read(root, path) for path in sorted(_python_files(root))]
    rules = build_rules.rules(files, locked_packages.provided_by(distributions, labels))
    problems = [*_unknown_data(root, rules.values()), *_unknown_sizes(rules.values())]
    if problems:
        raise BuildError(problems)
    folders = {rule.package for rule in rules.values()}
    return {folder / "BUILD": build_text.text(folder, rules) for folder in sorted(folders)}


def stale(root: pathlib.Path, wanted: Mapping[pathlib.PurePath, str]) -> list[pathlib.PurePath]:
    """Returns the BUILD files that are missing, differ, or are left of a folder that is gone."""
    differ = [
        path
        for path, text in wanted.items()
        if not (root / path).is_file() or (root / path).read_text() != text
    ]
    left = [
        path
        for path in _walk(root)
        if path.name == "BUILD" and path not in wanted and _is_of_python(root / path)
    ]
    return sorted([*differ, *left])


def write(root: pathlib.Path, wanted: Mapping[pathlib.PurePath, str]) -> list[pathlib.PurePath]:
    """Brings the BUILD files up to date and returns those that it wrote or removed."""
    changed = stale(root, wanted)
    for path in changed:
        if path in wanted:
            (root / path).write_text(wanted[path])
        else:
            (root / path).unlink()
    return changed


def _walk(root: pathlib.Path) -> Iterator[pathlib.PurePath]:
    """Yields the files that Bazel sees, relative to the root."""
    ignore = root / ".bazelignore"
    ignored = set(ignore.read_text().split() if ignore.is_file() else ())
    for folder, folders, names in os.walk(root):
        here = pathlib.Path(folder).relative_to(root)
        folders[:] = [
            name
            for name in folders
            if not name.startswith((".", "bazel-")) and (here / name).as_posix() not in ignored
        ]
        yield from (here / name for name in names)


def _is_of_python(build: pathlib.Path) -> bool:
    """Returns whether a BUILD file is ours to write: those by hand have no rules of Python."""
    return "@rules_python//" in build.read_text()


def _python_files(root: pathlib.Path) -> Iterator[pathlib.PurePath]:
    # Those at the root, as pytest's conftest.py, belong to tools that Bazel does not run.
    return (path for path in _walk(root) if path.suffix == ".py" and len(path.parts) > 1)


def _unknown_data(root: pathlib.Path, rules: Collection[Rule]) -> Iterator[str]:
    """Yields a line for each declared `data` that is neither a file nor a target."""
    known = {rule.label for rule in rules} | set(_targets_by_hand(root))
    for rule in rules:
        for value in rule.declared("data"):
            is_file = (root / rule.package / value).is_file()
            if not (full(value) in known if value.startswith("//") else is_file):
                names = " ".join(file.path.as_posix() for file in rule.files)
                yield f"{names}: '# bazel: data' names {value}, which does not exist"


def _targets_by_hand(root: pathlib.Path) -> Iterator[str]:
    """Yields the labels of what BUILD files that are written by hand declare or export."""
    for path in _walk(root):
        if path.name != "BUILD" or _is_of_python(root / path):
            continue
        package = path.parent.as_posix() if path.parent.name else ""
        for node in ast.walk(ast.parse((root / path).read_text(), filename=str(path))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"//{package}:{node.value}"


def _unknown_sizes(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        sizes = rule.declared("size")
        only_tests = [key for key in ("size", "tags") if rule.declared(key)]
        if rule.kind != "py_test" and only_tests:
            yield f"{rule.files[0].path}: '# bazel: {only_tests[0]}' is for tests"
        elif len(sizes) > 1 or not set(sizes) <= set(build_text.SIZES):
            yield f"{rule.files[0].path}: '# bazel: size' must be one of {build_text.SIZES}"


def main() -> None:
    """Writes the BUILD files, or checks them."""
    parser = argparse.ArgumentParser(description="Writes the BUILD files from the imports.")
    parser.add_argument("--check", action="store_true", help="only name those that are stale")
    only_check = parser.parse_args().check
    root = pathlib.Path(__file__).resolve().parent.parent
    try:
        wanted = build_files(root, importlib.metadata.packages_distributions())
    except BuildError as error:
        sys.exit(str(error))
    if only_check:
        found = stale(root, wanted)
        lines = [f"{path}: is stale; run `make build-files`" for path in found]
        print("\n".join(lines) or "BUILD files: they are those of the imports.")
        sys.exit(bool(found))
    for path in write(root, wanted):
        print(path)


if __name__ == "__main__":
    main()
