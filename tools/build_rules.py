"""The Bazel rules of all Python files, derived from their imports.

A module is a `py_library`, a program a `py_binary`, a `*_test.py` a `py_test`. A folder without
`__init__.py` outside `tests` holds files that are opened by their path, such as presets: they are
one library, named after the folder.

Importing `a.b.c` runs `a/__init__.py` and `a/b/__init__.py` first, so it depends on these as well.
Where an `__init__.py` imports the very module, Bazel would see a circle: there, those who import
the module depend on both.

What a registry imports by name (tff_lm/registry.py) imports the registry, so this cannot depend on
it. A library of no sources, `registry_entries` for `registry.py`, depends on all that registers,
and each program and test that can reach the registry depends on that library.
"""

import pathlib
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping

from tools import graphs, python_files, registries
from tools.rule import TESTS, BuildError, Rule


def rules(
    files: Collection[python_files.PythonFile], provided: Mapping[str, Collection[str]]
) -> dict[str, Rule]:
    """Returns the rules by label.

    Args:
      files: all Python files that the BUILD files are to know.
      provided: the labels of the locked packages by the names that are imported.

    Raises:
      BuildError: an import leads nowhere, or imports form a circle.
    """
    return _Graph(files, provided).rules


class _Graph:
    """The rules and who depends on whom."""

    def __init__(
        self,
        files: Collection[python_files.PythonFile],
        provided: Mapping[str, Collection[str]],
    ):
        self._provided = provided
        self._problems: list[str] = []
        paths = {file.path for file in files}
        self._modules: dict[str, python_files.PythonFile] = {}  # by their dotted names
        self._owners: dict[str, str] = {}  # labels by the dotted names of modules
        self._folders: dict[str, str] = {}  # ... and of folders without `__init__.py`
        self.rules: dict[str, Rule] = {}
        for file in sorted(files, key=lambda file: file.path):
            self._add(file, paths)
        self._tops = {file.path.parts[0] for file in files}
        imports = {label: self._imported(rule) for label, rule in self.rules.items()}
        self._check_circles(imports)
        entries = self._add_entries(imports)
        self._refuse_problems()
        self._set_dependencies(imports)
        self._reach_entries(entries)
        self._check_circles({rule.label: rule.dependencies for rule in self.rules.values()})
        self._refuse_problems()

    def _refuse_problems(self) -> None:
        if self._problems:
            raise BuildError(self._problems)

    def _add(self, file: python_files.PythonFile, paths: Collection[pathlib.PurePath]) -> None:
        """Makes the rule of a file, or adds the file to that of its folder."""
        self._problems += [f"{file.path}: {mistake}" for mistake in file.mistakes]
        folder = file.path.parent
        kind = "py_test" if file.is_test else "py_binary" if file.is_program else "py_library"
        is_grouped = (
            kind == "py_library"
            and folder / "__init__.py" not in paths
            and TESTS not in folder.parts
        )
        name = file.path.stem
        if name == "__init__" and folder / f"{folder.name}.py" not in paths:
            name = folder.name
        rule = Rule(kind, folder, folder.name if is_grouped else name, [file])
        module = folder if file.path.name == "__init__.py" else file.path.with_suffix("")
        self._modules[".".join(module.parts)] = file
        self._owners[".".join(module.parts)] = rule.label
        existing = self.rules.setdefault(rule.label, rule)
        if existing is not rule and is_grouped and existing.kind == kind:
            existing.files.append(file)
        elif existing is not rule:
            self._problems.append(f"{file.path}: another target is called {rule.label}")
        if is_grouped:
            self._folders[".".join(folder.parts)] = rule.label

    def _imported(self, rule: Rule) -> set[str]:
        """Returns the labels of what the sources of `rule` import by name."""
        found: set[str] = set()
        for file in rule.files:
            unused = set(file.declared["unlocked"])
            for each in file.imports:
                top = each.module.partition(".")[0]
                if top in file.declared["unlocked"] and top not in self._provided:
                    unused.discard(top)
                else:
                    found.update(self._resolve(file, each))
            self._problems += [
                f"{file.path}: '# bazel: unlocked' names {name}, which is locked or not imported"
                for name in sorted(unused)
            ]
        return found - {rule.label}

    def _resolve(self, file: python_files.PythonFile, each: python_files.Import) -> Iterable[str]:
        """Returns the labels of what has an imported name."""
        top = each.module.partition(".")[0]
        if top in self._tops:
            name = f"{each.module}.{each.member}".rstrip(".")
            # A member of a package may be anything in its `__init__.py`; a folder has files alone.
            for owners, owned in (
                (self._owners, name),
                (self._folders, name),
                (self._owners, each.module),
            ):
                if owned in owners:
                    return [owners[owned]]
            self._problems.append(f"{file.path}: imports {name}, which does not exist")
        elif top in self._provided:
            return self._provided[top]
        elif top not in sys.stdlib_module_names:
            self._problems.append(
                f"{file.path}: imports {top}, which no package of requirements.txt provides"
            )
        return []

    def _add_entries(self, imports: dict[str, set[str]]) -> dict[str, str]:
        """Makes the libraries of what registers; returns their labels by those of the registries.

        Args:
          imports: what each rule imports by name; those of the new ones are added.
        """
        entries = {}
        for rule in list(self.rules.values()):
            found = {self._owners[name] for file in rule.files for name in self._registered(file)}
            if found:
                library = Rule("py_library", rule.package, f"{rule.name}_entries", [])
                if library.label in self.rules:
                    self._problems.append(f"{rule.label}: another target is called {library.label}")
                self.rules[library.label] = library
                imports[library.label] = found
                entries[rule.label] = library.label
        return entries

    def _registered(self, file: python_files.PythonFile) -> Iterator[str]:
        """Yields the names of the modules that register in the registries of `file`."""
        for registry in file.registries:
            for place in registry.places:
                if place in self._modules:
                    yield from registries.registered(registry.symbol, place, self._modules)
                else:
                    self._problems.append(
                        f"{file.path}: the registry {registry.symbol} names {place}, "
                        "which does not exist"
                    )

    def _reach_entries(self, entries: Mapping[str, str]) -> None:
        """Lets programs and tests depend on the entries of all registries that they can reach."""
        graph = {rule.label: {*rule.dependencies, *rule.data} for rule in self.rules.values()}
        for rule in self.rules.values():
            if rule.kind != "py_library":
                rule.dependencies |= graphs.reach_with(graph, rule.label, entries)

    def _check_circles(self, imports: Mapping[str, Collection[str]]) -> None:
        for circle in graphs.circles(imports):
            self._problems.append(f"these import each other in a circle: {' '.join(circle)}")

    def _initial(self, rule: Rule) -> list[str]:
        """Returns the rules of the `__init__.py` that run before its sources, innermost first."""
        if not rule.files:
            return []
        names = [".".join(folder.parts) for folder in (rule.package, *rule.package.parents)]
        labels = (self._owners.get(name) for name in names)
        return [label for label in labels if label and label != rule.label]

    def _set_dependencies(self, imports: Mapping[str, set[str]]) -> None:
        """Adds to the imports the `__init__.py` that they run, but closes no circle."""
        initial = {label: self._initial(rule) for label, rule in self.rules.items()}
        everything = {
            label: {*found, *initial[label], *(i for one in found for i in initial.get(one, ()))}
            for label, found in imports.items()
        }
        circle_of = {label: circle for circle in graphs.circles(everything) for label in circle}

        def together(one: str, other: str) -> bool:
            return other in circle_of.get(one, ())

        for label, rule in self.rules.items():
            own = initial[label][:1]
            # An imported module brings its `__init__.py` unless the two are in a circle.
            others = [i for one in imports[label] for i in initial.get(one, ()) if together(one, i)]
            runs_first = {i for i in (*own, *others) if not together(label, i)}
            rule.dependencies = {*imports[label], *runs_first} - {label}
