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
