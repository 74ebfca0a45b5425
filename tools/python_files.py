"""What a Python file says of itself: its imports, and its `# bazel:` lines.

A `# bazel:` line declares, in the file that it is about, what no import tells:

    # bazel: size = large                  a test's, if its imports do not tell it (see build_rules)
    # bazel: tags = local                  a test's tags, as Bazel knows them
    # bazel: data = //configs page.css     what it reads: labels, and files beside it
    # bazel: imports = bin.train torch     modules that a child process or a notebook imports
    # bazel: unlocked = torch              what it imports although requirements.txt has it not

Several values are separated by spaces; a key may come more than once.

A registry (tff_lm/registry.py) imports what registers in it by name, when it is asked for: so the
file says as well which registries it makes, and in which ones it registers something.
"""

import ast
import dataclasses
import io
import pathlib
import re
import tokenize
from collections.abc import Iterator

KEYS = ("data", "imports", "size", "tags", "unlocked")
_TYPE_CHECKING = ("TYPE_CHECKING", "typing.TYPE_CHECKING")
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
class Registry:
    """A `Registry(kind, symbol, *places)` that a file makes, all literals.

    Attributes:
      symbol: what it is called by those who register in it.
      places: dotted names of the modules, and of the packages of modules, that may register.
    """

    symbol: str
    places: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class PythonFile:
    """A Python file.

    Attributes:
      path: relative to the root.
      imports: all of them, those inside functions and the declared ones included, but not those
        under `if TYPE_CHECKING:`, which never run.
      registries: those that it makes, if they name places.
      registers: the symbols of the registries that it registers something in.
      is_program: whether it does something when it is run, as `__main__`.
      declared: the values of its `# bazel:` lines by key.
      mistakes: `# bazel:` lines that are none.
    """

    path: pathlib.PurePath
    imports: frozenset[Import]
    registries: tuple[Registry, ...]
    registers: frozenset[str]
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
    return PythonFile(
        path=path,
        imports=frozenset(imports),
        registries=tuple(_registries(tree)),
        registers=frozenset(_registers(tree)),
        is_program=_is_program(tree),
        declared=declared,
        mistakes=mistakes,
    )


def _comments(text: str) -> Iterator[str]:
    """Yields the `# bazel:` comments; strings that look alike are none."""
    if "# bazel:" not in text:
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and token.string.startswith("# bazel:"):
            yield token.string.strip()


def _imports(tree: ast.AST, path: pathlib.PurePath) -> Iterator[Import]:
    for node in _running(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = path.parts[: len(path.parts) - node.level] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            yield from (Import(module, alias.name) for alias in node.names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Yields all nodes but those that only type checkers look at."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in _TYPE_CHECKING:
            for statement in child.orelse:
                yield from _running(statement)
        else:
            yield from _running(child)


def _registries(tree: ast.AST) -> Iterator[Registry]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Registry":
            _, *names = [_literal(argument) for argument in node.args] or [""]
            if len(names) > 1 and all(names):
                yield Registry(names[0], tuple(names[1:]))


def _registers(tree: ast.AST) -> Iterator[str]:
    """Yields the `NAMES` of each `NAMES.register("...")`."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "register"
            and isinstance(node.func.value, ast.Name)
            and any(map(_literal, node.args))
        ):
            yield node.func.value.id


def _literal(node: ast.expr) -> str:
    """Returns the string that `node` is, or nothing."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_program(tree: ast.Module) -> bool:
    tests = (ast.unparse(node.test) for node in tree.body if isinstance(node, ast.If))
    return "__name__ == '__main__'" in tests
