"""What a Python file says of itself: its imports, and its `# bazel:` lines.

A `# bazel:` line declares, in the file that it is about, what no import tells:

    # bazel: size = large                  a test's, if its imports do not tell it (see build_rules)
    # bazel: tags = local                  a test's tags, as Bazel knows them
    # bazel: data = //configs page.css     what it reads: labels, and files beside it
    # bazel: imports = bin.train torch     modules that a child process or a notebook imports
    # bazel: unlocked = torch              what it imports although requirements.txt has it not

Several values are separated by spaces; a key may come more than once.
"""

import ast
import dataclasses
import io
import pathlib
import re
import tokenize
from collections.abc import Iterator

KEYS = ("data", "imports", "size", "tags", "unlocked")
_DECLARATION = re.compile(r"# bazel: *(\w+) *= *(.*)")


@dataclasses.dataclass(frozen=True)
class Import:
    """One imported name.

    Attributes:
      module: `a.b` of `import a.b` and of `from a.b import c`.
      member: `c`, which may be a module or something in one; empty for `import a.b`.
    """

    module: str
    member: str = ""


@dataclasses.dataclass(frozen=True)
class PythonFile:
    """A Python file.

    Attributes:
      path: relative to the root.
      imports: all of them, those inside functions and the declared ones included.
      is_program: whether it does something when it is run, as `__main__`.
      declared: the values of its `# bazel:` lines by key.
      mistakes: `# bazel:` lines that are none.
    """

    path: pathlib.PurePath
    imports: frozenset[Import]
    is_program: bool
    declared: dict[str, list[str]]
    mistakes: list[str]

    @property
    def is_test(self) -> bool:
        """Whether it is a test, by its name, as for pytest."""
        return self.path.name.endswith("_test.py")


def read(root: pathlib.Path, path: pathlib.PurePath) -> PythonFile:
    """Reads the file at `path`, which is relative to `root`."""
    text = (root / path).read_text()
    tree = ast.parse(text, filename=str(path))
    declared: dict[str, list[str]] = {key: [] for key in KEYS}
    mistakes = []
    for comment in _comments(text):
        match = _DECLARATION.fullmatch(comment)
        if match and match[1] in KEYS and match[2]:
            declared[match[1]] += match[2].split()
        else:
            mistakes.append(f"'{comment}': expected '# bazel: KEY = VALUES', KEY of {KEYS}")
    imports = {*_imports(tree, path), *map(Import, declared["imports"])}
    return PythonFile(path, frozenset(imports), _is_program(tree), declared, mistakes)


def _comments(text: str) -> Iterator[str]:
    """Yields the `# bazel:` comments; strings that look alike are none."""
    if "# bazel:" not in text:
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and token.string.startswith("# bazel:"):
            yield token.string.strip()


def _imports(tree: ast.AST, path: pathlib.PurePath) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = path.parts[: len(path.parts) - node.level] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            yield from (Import(module, alias.name) for alias in node.names)


def _is_program(tree: ast.Module) -> bool:
    tests = (ast.unparse(node.test) for node in tree.body if isinstance(node, ast.If))
    return "__name__ == '__main__'" in tests
