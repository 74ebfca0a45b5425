"""Checks that the BUILD files know every Python file.

Each test must be the source of a `py_test`, every other module the source of a `py_library` or a
`py_binary`; no rule may name a file that is not there, nor a package that is not in the lock. BUILD
files are read as Python, which the plain rules of this repository are; Bazel is not needed.

    python -m tools.check_build
"""

import ast
import pathlib
import re
import sys
from collections.abc import Iterator

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


def _rules(build: pathlib.Path) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Yields (kind, {attribute: its strings}) for every Python rule of a BUILD file."""
    for node in ast.walk(ast.parse(build.read_text(), filename=str(build))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in _RULES:
            yield (
                node.func.id,
                {
                    keyword.arg: [
                        leaf.value
                        for leaf in ast.walk(keyword.value)
                        if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
                    ]
                    for keyword in node.keywords
                    if keyword.arg
                },
            )


def _locked(requirements: pathlib.Path) -> set[str]:
    """Returns the names of the locked packages as labels spell them (`absl_py`)."""
    names = re.findall(r"^([\w.-]+)==", requirements.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[-.]", "_", name).lower() for name in names}


def problems(root: pathlib.Path) -> list[str]:
    """Returns one line for each disagreement between the BUILD files and the files under `root`."""
    locked = _locked(root / "requirements.txt")
    known: dict[pathlib.Path, str] = {}
    found = []
    for build in sorted(path for name in _PACKAGES for path in (root / name).rglob("BUILD")):
        where = build.relative_to(root)
        for kind, attributes in _rules(build):
            for source in attributes.get("srcs", []):
                if not (build.parent / source).is_file():
                    found.append(f"{where}: {source} does not exist")
                known[build.parent / source] = kind
            for label in attributes.get("deps", []):
                package = label.removeprefix("@pypi//")
                if package != label and package not in locked:
                    found.append(f"{where}: {label} is not in requirements.txt")
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
