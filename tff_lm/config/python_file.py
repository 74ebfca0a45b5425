"""Python files of the user: presets and sweeps. What goes wrong in one is a line that names it."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import pathlib
import re
import traceback
from collections.abc import Iterator
from types import CodeType
from typing import Any

import ml_collections

from tff_lm import paths
from tff_lm.config import old_flags, tree
from tff_lm.config.option import ConfigError, nearest


class _FromSource(importlib.machinery.SourceFileLoader):
    """Never reads or writes bytecode, which does not notice an edit that keeps second and size."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def call(path: str, function: str, *arguments: str) -> Any:
    """Runs the file at `path` (absolute) and returns what its `function(*arguments)` returns.

    Raises:
      ConfigError: one line naming the file, and where the error came out of it the line.
    """
    try:
        spec = importlib.util.spec_from_file_location(
            "user_file", path, loader=_FromSource("user_file", path)
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if not hasattr(module, function):
            raise ConfigError(f"{path} has no {function}()")
        return getattr(module, function)(*arguments)
    except ConfigError:
        raise
    # It is the user's Python: any exception at all can come out of it.
    except Exception as error:
        raise ConfigError(describe(error, path)) from error


def load_preset(name: str) -> ml_collections.ConfigDict:
    """The tree of a preset such as "configs/chat.py", each value checked; raises ConfigError.

    "FILE:variant" hands `variant` to its `get_config`, as config_flags does. Whether the values go
    together is not checked: a preset may leave open what the command line must say.
    """
    file, colon, variant = old_flags.preset(name).partition(":")
    config = call(existing(file, "configs"), "get_config", *([variant] if colon else []))
    if not isinstance(config, ml_collections.ConfigDict):
        raise ConfigError(
            f"{file}: get_config() must return tff_lm.config.default_config(), changed"
        )
    return tree.changed(config, {})


def existing(name: str, folder: str) -> str:
    """The absolute path of a file that the user named.

    Raises:
      ConfigError: if there is none, with the names nearest in `folder`.
    """
    path = paths.resolve(name)
    if os.path.isfile(path):
        return path
    there = pathlib.Path(paths.resolve(folder)).glob("*.py")
    names = [f"{folder}/{file.name}" for file in sorted(there) if not file.name.startswith("_")]
    hint = nearest(name, names) or (f"; there are {', '.join(names)}" if names else "")
    raise ConfigError(f"there is no file {name}{hint}")


def describe(error: BaseException, path: str) -> str:
    """One line for `error`; if it came out of the file at `path`, with the line there."""
    for each in _chain(error):
        if isinstance(each, SyntaxError) and each.filename == path:
            return f"{path}, line {each.lineno}: {each.msg}"
        frames = traceback.extract_tb(each.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == path]
        if lines:
            # A locked ConfigDict lists all of its fields before it names the nearest one.
            message = re.sub(r"Other fields present:.*?(?=Did you mean|$)", "", str(each))
            return f"{path}, line {lines[-1]}: {message}"
    return str(error)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """`error` and the errors that it was raised for."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
