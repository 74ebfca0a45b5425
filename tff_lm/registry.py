"""Things of one kind by name. Each registers itself where it is written; nothing lists them twice.

    # compression/registry.py
    CODECS: Registry[type[Codec]] = Registry("codec", "CODECS", "compression.codecs")

    # compression/codecs/eden.py
    @CODECS.register("eden")
    class Eden(LevelCodec): ...

Names are known without importing what they stand for, which may bring TensorFlow along: they are
read from the sources, where `CODECS.register("eden")` stands. So `--help` and a misspelt option are
answered at once, and a new thing is one new file.

Files outside the package register in the same way, by `load_extensions`.
"""

from __future__ import annotations

import ast
import difflib
import functools
import hashlib
import importlib
import importlib.util
import os
import pathlib
import pkgutil
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class UnknownNameError(ValueError):
    """A name that nothing is registered under; the message names the nearest one."""


class ExtensionError(ValueError):
    """A file of the user that cannot be loaded, in one line."""


class Registry(Mapping[str, T], Generic[T]):
    """A mapping from names, sorted, to what registered itself under them."""

    def __init__(self, kind: str, symbol: str, *modules: str):
        """Imports nothing.

        Args:
          kind: What the things are called in messages, such as "codec".
          symbol: The name that this registry has where it is used, such as "CODECS".
          *modules: Modules and packages whose files register into it.
        """
        self.kind = kind
        self._symbol = symbol
        self._modules = modules
        self._found: dict[str, T] = {}
        self._origins: dict[str, tuple[str, object]] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """A decorator that enters what it decorates under `name`, a literal.

        Raises:
          ValueError: If the name is taken by something else.
        """
        # Not the thing's own module: an object's is that of its class.
        module, line = _place(sys._getframe(1))

        def enter(thing: T) -> T:
            # A module that is imported again makes its classes and objects anew.
            origin = (module, getattr(thing, "__qualname__", line))
            owner = self._places.get(name, module)
            if module != owner or self._origins.get(name, origin) != origin:
                raise ValueError(f"There is a {self.kind} called {name!r} already; choose another.")
            self._found[name], self._origins[name] = thing, origin
            return thing

        return enter

    def __getitem__(self, name: str) -> T:
        """What is called `name`; imports the module that has it.

        Raises:
          UnknownNameError: If there is no such name.
        """
        if name not in self._found and name in self._places:
            importlib.import_module(self._places[name])
        if name not in self._found:
            raise UnknownNameError(f"Unknown {self.kind} {name!r}{nearest(name, list(self))}")
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._places, *self._found}))

    def __len__(self) -> int:
        return len({*self._places, *self._found})

    def __contains__(self, name: object) -> bool:
        return name in self._places or name in self._found

    @functools.cached_property
    def _places(self) -> dict[str, str]:
        """The module in which each name is registered."""
        return {
            name: module
            for place in self._modules
            for module, source in _sources(place)
            for name in _registered_names(source, self._symbol)
        }


def nearest(word: str, valid: Sequence[str]) -> str:
    """The end of a message about an unknown `word`: the nearest valid one, then all of them."""
    close = difflib.get_close_matches(word, valid, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    return f"{hint} Known: {', '.join(valid)}."


def load_extensions(names: str) -> None:
    """Imports files of the user, which register what they add.

    Args:
      names: Separated by commas: paths of Python files, or dotted names of modules. Each is loaded
        once in a process.

    Raises:
      ExtensionError: If one is not there or fails, naming it.
    """
    for name in filter(None, (part.strip() for part in names.split(","))):
        try:
            if name.endswith(".py"):
                _load_file(pathlib.Path(name))
            else:
                importlib.import_module(name)
        # It is the user's Python: any exception at all can come out of it.
        except Exception as error:
            raise ExtensionError(f"extensions: {name} cannot be loaded: {error}") from error


def _place(caller: types.FrameType) -> tuple[str, int]:
    """(module, line) of a call; the module by its own name, if it is the program that runs, too."""
    spec = caller.f_globals.get("__spec__")
    return spec.name if spec else caller.f_globals["__name__"], caller.f_lineno


def _load_file(path: pathlib.Path) -> None:
    path = path.resolve()
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    name = f"tff_lm_extension_{path.stem}_{digest}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up here while they are made.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


def _sources(place: str) -> Iterator[tuple[str, str]]:
    """(dotted name, source) of a module, or of every module in a package, not imported."""
    spec = importlib.util.find_spec(place)
    if spec is None or spec.origin is None:
        raise ImportError(f"{place}, which a registry names, is not there.")
    if spec.submodule_search_locations is None:
        yield place, pathlib.Path(spec.origin).read_text(encoding="utf-8")
        return
    for folder in spec.submodule_search_locations:
        for found in pkgutil.iter_modules([folder]):
            if not found.ispkg:
                source = pathlib.Path(folder, f"{found.name}.py").read_text(encoding="utf-8")
                yield f"{place}.{found.name}", source


def _registered_names(source: str, symbol: str) -> Iterator[str]:
    """The literals in `symbol.register("...")` of a source."""
    if f"{symbol}.register(" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "register"
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == symbol
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value)
