"""The text of a BUILD file, in the style of buildifier."""

import pathlib
from collections.abc import Collection, Iterator, Mapping

from tools import graphs
from tools.rule import TESTS, Rule, full

_HEADER = "# Generated from the imports and `# bazel:` lines: `make build-files` writes it anew.\n"
# Importing one of these takes seconds: a test that does not is small.
_SLOW_IMPORTS = ("@pypi//tensorflow", "@pypi//tensorflow_federated")
SIZES = ("small", "medium", "large", "enormous")


def text(folder: pathlib.PurePath, rules: Mapping[str, Rule]) -> str:
    """Returns the BUILD file of `folder`, given all rules by label."""
    here = sorted((r for r in rules.values() if r.package == folder), key=lambda r: r.name)
    kinds = ", ".join(f'"{kind}"' for kind in sorted({rule.kind for rule in here}))
    parts = [f'load("@rules_python//python:defs.bzl", {kinds})\n']
    if any(rule.kind != "py_test" for rule in here):
        parts.append(_package(folder))
    parts += [_rule(rule, rules) for rule in here]
    return _HEADER + "\n" + "\n".join(parts)


def _package(folder: pathlib.PurePath) -> str:
    """Returns what holds for all rules of a folder: what is in `tests` is for tests alone."""
    if TESTS not in folder.parts:
        return 'package(default_visibility = ["//visibility:public"])\n'
    above = folder.parts[: folder.parts.index(TESTS) + 1]
    visible = f"//{'/'.join(above)}:__subpackages__"
    return f'package(\n    default_testonly = True,\n    default_visibility = ["{visible}"],\n)\n'


def _rule(rule: Rule, rules: Mapping[str, Rule]) -> str:
    size = [f'    size = "{_size(rule, rules)}",'] if rule.kind == "py_test" else []
    lines = [
        f"{rule.kind}(",
        f'    name = "{rule.name}",',
        *size,
        *_list("srcs", [file.path.name for file in rule.files]),
        *_list("data", [_short(value, rule) for value in rule.declared("data")]),
        *_list("tags", _tags(rule)),
        *_list("deps", [_short(label, rule) for label in rule.dependencies]),
        ")",
    ]
    return "\n".join(lines) + "\n"


def _tags(rule: Rule) -> list[str]:
    """Returns the declared tags, and `wiring` for a test that needs what no import tells."""
    is_wired = rule.kind == "py_test" and (rule.declared("data") or rule.declared("imports"))
    return [*rule.declared("tags"), *(["wiring"] if is_wired else [])]


def _size(rule: Rule, rules: Mapping[str, Rule]) -> str:
    graph = {label: each.dependencies for label, each in rules.items()}
    derived = "small" if _is_small(rule, graph) else "medium"
    return next(iter(rule.declared("size")), derived)


def _is_small(rule: Rule, graph: Mapping[str, Collection[str]]) -> bool:
    """Returns whether a test is done in seconds, since nothing that it imports takes long."""
    return not graphs.reach(graph, rule.label).intersection(_SLOW_IMPORTS)


def _list(name: str, values: list[str]) -> Iterator[str]:
    ordered = sorted(set(values), key=_order)
    if len(ordered) == 1:
        yield f'    {name} = ["{ordered[0]}"],'
    elif ordered:
        yield f"    {name} = ["
        yield from (f'        "{value}",' for value in ordered)
        yield "    ],"


def _order(label: str) -> tuple[int, list[str]]:
    """The order of buildifier: files, this folder's, this repository's, other repositories'."""
    rank = (":", "//", "@")
    group = next((i for i, start in enumerate(rank) if label.startswith(start)), -1)
    return group, label.replace(":", ".").split(".")


def _short(label: str, rule: Rule) -> str:
    """Returns `:name` for what is in the same folder, and `//a/b` for `//a/b:b`."""
    if label.startswith("@") or "//" not in label:
        return label
    package, _, name = full(label).partition(":")
    if package == f"//{rule.package.as_posix()}":
        return f":{name}"
    return package if name == package.rpartition("/")[2] else label
