"""Paths given on a command line."""

import os


def resolve(path: str) -> str:
    """Returns `path` as an absolute path, `~` expanded, relative to where the user typed it.

    `bazel run` starts a program in its runfiles folder and names the user's folder in
    BUILD_WORKING_DIRECTORY; outside Bazel that is the current folder.
    """
    start = os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd())
    return os.path.normpath(os.path.join(start, os.path.expanduser(path)))


def as_typed(path: str) -> str:
    """Returns `path` as the user may type it again: relative if it lies below where they are.

    A path from elsewhere is absolute: no other means the same.
    """
    absolute = resolve(path)
    relative = os.path.relpath(absolute, resolve("."))
    return absolute if relative.split(os.sep)[0] == os.pardir else relative


def resolve_each(text: str) -> list[str]:
    """The paths of a list separated by commas, each as `resolve` gives it.

    A path that is there may hold a comma, and is then the only one.
    """
    if os.path.exists(resolve(text)):
        return [resolve(text)] if text else []
    return [resolve(part.strip()) for part in text.split(",") if part.strip()]


def resolve_list(text: str) -> str:
    """The list `text` with every path in it resolved."""
    return ",".join(resolve_each(text))
