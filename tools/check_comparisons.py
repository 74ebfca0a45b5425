"""Finds tensors that are compared by == or !=.

In the graphs that TFF traces, which are TensorFlow 1 graphs, both compare the Python objects: the
answer is always False, or True, and nothing fails. `tf.equal` and `tf.not_equal` compare values.

Only what is evidently a tensor is found: the result of a function of `tf`, an argument annotated as
`tf.Tensor` or `tf.Variable`, a name that is bound to nothing else in its function, and arithmetic
or indexing of these.

    python -m tools.check_comparisons
"""

import ast
import collections
import itertools
import pathlib
import sys
from collections.abc import Iterator

_PACKAGES = ("compression", "tasks", "tff_lm")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_TENSORS = ("tf.Tensor", "tf.Variable")
# Their functions give other things than tensors.
_NO_TENSORS = (
    "tf.as_dtype",
    "tf.config.",
    "tf.data.",
    "tf.dtypes.",
    "tf.executing_eagerly",
    "tf.get_static_value",
    "tf.io.gfile.",
    "tf.is_tensor",
    "tf.keras.",
    "tf.nest.",
)


def _is_tensor_function(name: str) -> bool:
    is_class = name.rpartition(".")[2][:1].isupper()
    return name.startswith("tf.") and not is_class and not name.startswith(_NO_TENSORS)


def _is_tensor(node: ast.expr, known: set[str]) -> bool:
    """Whether the expression is evidently a tensor, given the names that are."""
    match node:
        case ast.Name():
            return node.id in known
        case ast.Call():
            return _is_tensor_function(ast.unparse(node.func))
        case ast.Subscript() | ast.Starred():
            return _is_tensor(node.value, known)
        case ast.UnaryOp():
            return _is_tensor(node.operand, known)
        case ast.BinOp():
            return _is_tensor(node.left, known) or _is_tensor(node.right, known)
    return False


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes below `scope`, without those inside functions in it."""
    for node in ast.iter_child_nodes(scope):
        yield node
        if not isinstance(node, _FUNCTIONS):
            yield from _own_nodes(node)


def _arguments(scope: ast.AST, outer: set[str]) -> set[str]:
    """The tensors among the arguments, and among the names from outside that they do not hide."""
    if not isinstance(scope, _FUNCTIONS):
        return outer
    arguments = [node for node in ast.walk(scope.args) if isinstance(node, ast.arg)]
    tensors = {a.arg for a in arguments if a.annotation and ast.unparse(a.annotation) in _TENSORS}
    return outer.difference(a.arg for a in arguments) | tensors


def _tensors_in(scope: ast.AST, outer: set[str]) -> set[str]:
    """The names that are tensors in `scope`: arguments, and what is bound to tensors alone."""
    nodes = list(_own_nodes(scope))
    bound = collections.Counter(
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    assigned = [
        (node.targets[0].id, node.value)
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    ]
    known = arguments = _arguments(scope, outer).difference(bound)
    while True:
        tensors = collections.Counter(name for name, value in assigned if _is_tensor(value, known))
        found = arguments | {name for name in tensors if tensors[name] == bound[name]}
        if found == known:
            return known
        known = found


def _comparisons(scope: ast.AST, outer: set[str]) -> Iterator[int]:
    """The lines in `scope` where a tensor is compared."""
    known = _tensors_in(scope, outer)
    for node in _own_nodes(scope):
        if isinstance(node, _FUNCTIONS):
            yield from _comparisons(node, known)
        elif isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            for operator, pair in zip(node.ops, itertools.pairwise(operands), strict=True):
                is_equality = isinstance(operator, ast.Eq | ast.NotEq)
                if is_equality and any(_is_tensor(operand, known) for operand in pair):
                    yield node.lineno


def problems(root: pathlib.Path) -> list[str]:
    """Returns one line for each comparison under `root`."""
    return [
        f"{path.relative_to(root)}:{line}: compare tensors by tf.equal or tf.not_equal"
        for path in sorted(path for name in _PACKAGES for path in (root / name).rglob("*.py"))
        for line in _comparisons(ast.parse(path.read_text(), filename=str(path)), set())
    ]


def main() -> None:
    """Prints the problems and exits with 1 if there are any."""
    found = problems(pathlib.Path(__file__).resolve().parent.parent)
    print("\n".join(found) or "Comparisons: no tensor is compared by == or !=.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
