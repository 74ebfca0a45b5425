"""Checks that the BUILD files know every Python file.

Each test must be the source of a `py_test`, every other module the source of a `py_library` or a
`py_binary`; no rule may name a file that is not there, nor a package that is not in the lock; and
what a module imports of this repository must be among the sources of its rule or of those that it
depends on, else it runs everywhere but in Bazel's sandbox. BUILD files are read as Python, which
the plain rules of this repository are; Bazel is not needed.

    python -m tools.check_build
"""

import ast
import dataclasses
import pathlib
import re
import sys
from collections.abc import Container, Iterator, Mapping

_PACKAGES = (
    "benchmarks",
    "bin",
    "compression",
    "configs",
    "deploy",
    "tasks",
    "tests",
    "tff_lm",
    "tools",
)
_RULES = ("py_binary", "py_library", "py_test")


@dataclasses.dataclass(frozen=True)
class _Rule:
    """A Python rule of a BUILD file.

    Attributes:
      build: the file, relative to the root.
      kind: `py_library`, `py_binary` or `py_test`.
      label: `//package:name`.
      sources: paths relative to the root.
      dependencies: labels, of this repository's rules in full.
    """

    build: pathlib.Path
    kind: str
    label: str
    sources: list[pathlib.Path]
    dependencies: list[str]


def _rules(root: pathlib.Path) -> Iterator[_Rule]:
    """Yields the Python rules of all BUILD files."""
    for build in sorted(path for name in _PACKAGES for path in (root / name).rglob("BUILD")):
        package = build.parent.relative_to(root)
        for node in ast.walk(ast.parse(build.read_text(), filename=str(build))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", None) in _RULES):
                continue
            strings = {keyword.arg: _strings(keyword.value) for keyword in node.keywords}
            yield _Rule(
                build=build.relative_to(root),
                kind=ast.unparse(node.func),
                label=_full(f":{strings['name'][0]}", package),
                sources=[package / source for source in strings.get("srcs", [])],
                dependencies=[_full(label, package) for label in strings.get("deps", [])],
            )


def _strings(value: ast.expr) -> list[str]:
    leaves = (leaf.value for leaf in ast.walk(value) if isinstance(leaf, ast.Constant))
    return [leaf for leaf in leaves if isinstance(leaf, str)]


def _full(label: str, package: pathlib.Path) -> str:
    """Returns `//package:name` for `:name`, and `//a/b:b` for `//a/b`."""
    if label.startswith(":"):
        return f"//{package.as_posix()}{label}"
    return label if ":" in label else f"{label}:{label.rpartition('/')[2]}"


def _locked(requirements: pathlib.Path) -> set[str]:
    """Returns the names of the locked packages as labels spell them (`absl_py`)."""
    names = re.findall(r"^([\w.-]+)==", requirements.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[-.]", "_", name).lower() for name in names}


def _imported(root: pathlib.Path, module: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields the files of this repository that `module` imports."""
    names: list[str] = []
    for node in ast.walk(ast.parse((root / module).read_text(), filename=str(module))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            are_files = [_file(root, name) is not None for name in submodules]
            names += [name for name, is_file in zip(submodules, are_files, strict=True) if is_file]
            names += [] if all(are_files) else [node.module]
    yield from filter(None, (_file(root, name) for name in names))


def _file(root: pathlib.Path, module: str) -> pathlib.Path | None:
    stem = pathlib.Path(*module.split("."))
    candidates = (stem.with_suffix(".py"), stem / "__init__.py")
    return next((path for path in candidates if (root / path).is_file()), None)


def _provided(rule: _Rule, rules: Mapping[str, _Rule]) -> set[pathlib.Path]:
    """Returns the sources of a rule and of all that it depends on."""
    seen: dict[str, _Rule] = {}
    waiting = [rule]
    while waiting:
        one = waiting.pop()
        seen[one.label] = one
        waiting += [rules[d] for d in one.dependencies if d in rules and d not in seen]
    return {source for one in seen.values() for source in one.sources}


def _problems_of(
    rule: _Rule, root: pathlib.Path, rules: Mapping[str, _Rule], locked: Container[str]
) -> Iterator[str]:
    for label in rule.dependencies:
        package = label.removeprefix("@pypi//").partition(":")[0]
        if label.startswith("@pypi//") and package not in locked:
            yield f"{rule.build}: @pypi//{package} is not in requirements.txt"
        elif label.startswith("//") and label not in rules:
            yield f"{rule.build}: {label} is no Python rule"
    provided = _provided(rule, rules)
    for source in rule.sources:
        if not (root / source).is_file():
            yield f"{rule.build}: {source.name} does not exist"
            continue
        for needed in sorted(set(_imported(root, source)) - provided):
            yield f"{rule.build}: {source.name} imports {needed}, which no rule in its deps has"


def problems(root: pathlib.Path) -> list[str]:
    """Returns one line for each disagreement between the BUILD files and the files under `root`."""
    locked = _locked(root / "requirements.txt")
    rules = {rule.label: rule for rule in _rules(root)}
    found = [line for rule in rules.values() for line in _problems_of(rule, root, rules, locked)]
    known = {root / source: rule.kind for rule in rules.values() for source in rule.sources}
    for module in sorted(path for name in _PACKAGES for path in (root / name).rglob("*.py")):
        wanted = "py_test" if module.name.endswith("_test.py") else "py_library or py_binary"
        if known.get(module, "no rule") not in wanted:
            found.append(f"{module.relative_to(root)}: is in no {wanted} of a BUILD file")
    return found


def main() -> None:
    """Prints the problems and exits with 1 if there are any."""
    found = problems(pathlib.Path(__file__).resolve().parent.parent)
    print("\n".join(found) or "BUILD files: every module and test has its target.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
