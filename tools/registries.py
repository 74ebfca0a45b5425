"""Who registers in a registry (tff_lm/registry.py), which imports them by name, not by `import`."""

from collections.abc import Iterator, Mapping

from tools import python_files


def registered(
    symbol: str, place: str, modules: Mapping[str, python_files.PythonFile]
) -> Iterator[str]:
    """Yields the dotted names of the modules that the registry finds, as it looks for them.

    Args:
      symbol: of the registry.
      place: a module, or a package whose modules are meant, but not those of packages in it.
      modules: all of them by their dotted names; packages are their `__init__.py`.
    """
    is_package = _is_package(modules[place])
    for name, module in modules.items():
        is_here = name.rpartition(".")[0] == place if is_package else name == place
        if is_here and symbol in module.registers and not _is_package(module):
            yield name


def _is_package(module: python_files.PythonFile) -> bool:
    return module.path.name == "__init__.py"
