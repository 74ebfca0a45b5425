import dataclasses
import pathlib
import sys
import textwrap
from unittest import mock

from absl.testing import absltest

from tff_lm import registry
from tff_lm.registry import ExtensionError, Registry, UnknownNameError


@dataclasses.dataclass(frozen=True)
class Shape:
    sides: int


class RegistryTest(absltest.TestCase):
    """A package "shapes_N" with a registry and two files, made anew for each test."""

    def setUp(self):
        super().setUp()
        self.package = f"shapes_{self.id().rpartition('.')[2]}"
        root = pathlib.Path(self.create_tempdir().full_path)
        self.enter_context(mock.patch.object(sys, "path", [str(root), *sys.path]))
        self.folder = root / self.package
        self.folder.mkdir()
        self.write("__init__", "")
        self.write("registry", "")
        self.write(
            "plain",
            """
            import dataclasses
            from {package}.registry import SHAPES

            @dataclasses.dataclass
            class Shape:
                sides: int

            for_us = SHAPES.register("triangle")(Shape(3))
            SHAPES.register("square")(Shape(4))

            @SHAPES.register("polygon")
            class Polygon: ...
            """,
        )
        self.shapes = Registry("shape", "SHAPES", self.package)
        sys.modules[f"{self.package}.registry"] = module = type(sys)("registry")
        module.SHAPES = self.shapes

    def write(self, name, text):
        source = textwrap.dedent(text).replace("{package}", self.package)
        (self.folder / f"{name}.py").write_text(source)

    def test_names_are_known_without_importing(self):
        self.assertEqual(list(self.shapes), ["polygon", "square", "triangle"])
        self.assertIn("square", self.shapes)
        self.assertNotIn(f"{self.package}.plain", sys.modules)
        self.assertEqual(self.shapes["triangle"].sides, 3)
        self.assertIn(f"{self.package}.plain", sys.modules)

    def test_an_unknown_name_is_answered_with_the_nearest(self):
        with self.assertRaisesRegex(
            UnknownNameError, "Unknown shape 'sqare'; did you mean 'square'[?] Known: polygon, sq"
        ):
            self.shapes["sqare"]

    def test_a_name_is_taken_once(self):
        """Whether its owner was imported yet or not; nothing of the owner is lost."""
        for _ in range(2):
            for name in ("triangle", "polygon"):
                with self.assertRaisesRegex(ValueError, f"a shape called '{name}' already"):
                    self.shapes.register(name)(Shape(5))
            self.assertEqual(self.shapes["triangle"].sides, 3)
        self.shapes.register("pentagon")(Shape(5))
        with self.assertRaisesRegex(ValueError, "'pentagon' already"):
            self.shapes.register("pentagon")(Shape(6))
        self.assertEqual(self.shapes["pentagon"].sides, 5)

    def test_a_module_that_is_imported_again_may_register_again(self):
        before = self.shapes["square"], self.shapes["polygon"]
        del sys.modules[f"{self.package}.plain"]
        __import__(f"{self.package}.plain")
        for old, new in zip(before, (self.shapes["square"], self.shapes["polygon"]), strict=True):
            self.assertIsNot(old, new)

    def test_an_extension_registers_from_outside(self):
        file = self.folder.parent / "extension.py"
        source = f"from {self.package}.registry import SHAPES\nSHAPES.register('{{}}')('mine')\n"
        file.write_text(source.format("star"))
        registry.load_extensions(f"{file}, ")
        registry.load_extensions(str(file))
        self.assertEqual(self.shapes["star"], "mine")
        other = file.with_name("other.py")
        other.write_text(source.format("square"))
        with self.assertRaisesRegex(
            ExtensionError, "other.py cannot be loaded: .*'square' already"
        ):
            registry.load_extensions(str(other))


if __name__ == "__main__":
    absltest.main()
