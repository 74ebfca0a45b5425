import pathlib

from absl.testing import absltest

from tools import build_files
from tools.rule import BuildError

_INSTALLED = {"absl": ["absl-py"], "numpy": ["numpy"], "tensorflow": ["tensorflow"]}
_LIBRARY = """\
# Generated from the imports and `# bazel:` lines: `make build-files` writes it anew.

load("@rules_python//python:defs.bzl", "py_binary", "py_library")

package(default_visibility = ["//visibility:public"])

py_library(
    name = "models",
    srcs = ["__init__.py"],
)

py_library(
    name = "net",
    srcs = ["net.py"],
    data = ["net.css"],
    deps = [
        ":models",
        "//presets",
        "@pypi//numpy",
    ],
)

py_binary(
    name = "show",
    srcs = ["show.py"],
    deps = [
        ":models",
        ":net",
        "@pypi//absl_py",
    ],
)
"""
_TESTS = """\
# Generated from the imports and `# bazel:` lines: `make build-files` writes it anew.

load("@rules_python//python:defs.bzl", "py_library", "py_test")

package(
    default_testonly = True,
    default_visibility = ["//tests:__subpackages__"],
)

py_library(
    name = "fakes",
    srcs = ["fakes.py"],
    deps = ["@pypi//tensorflow"],
)

py_test(
    name = "net_test",
    size = "small",
    srcs = ["net_test.py"],
    data = ["//presets"],
    tags = [
        "local",
        "wiring",
    ],
    deps = ["//models:net"],
)

py_test(
    name = "slow_test",
    size = "medium",
    srcs = ["slow_test.py"],
    deps = [":fakes"],
)
"""


class BuildFilesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        self.write("requirements.txt", "absl-py==1.4.0\nnumpy==1.25.2\ntensorflow==2.14\n")
        self.write(".bazelignore", "runs\n")
        self.write("runs/left.py", "import torch\n")
        self.write("models/__init__.py")
        self.write("models/net.css")
        self.write(
            "models/net.py",
            "# bazel: data = net.css\nimport numpy as np\n\n"
            "def lazily():\n    from presets import tiny\n",
        )
        self.write(
            "models/show.py",
            "from absl import app\nfrom . import net\nif __name__ == '__main__': app.run(net)\n",
        )
        self.write("presets/large.py", "from presets import tiny\n")
        self.write("presets/tiny.py")
        self.write("tests/fakes.py", "import tensorflow as tf\n")
        self.write("tests/slow_test.py", "from tests.fakes import x\n")
        self.write(
            "tests/net_test.py",
            "# bazel: data = //presets\n# bazel: tags = local\nfrom models.net import x\n",
        )

    def write(self, path: str, content: str = "") -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def build(self):
        return build_files.build_files(self.root, _INSTALLED)

    def text(self, path):
        return self.build()[pathlib.PurePath(path)]

    def problems(self):
        with self.assertRaises(BuildError) as caught:
            self.build()
        return caught.exception.problems

    def test_a_module_a_program_and_their_dependencies(self):
        self.assertEqual(self.text("models/BUILD"), _LIBRARY)

    def test_tests_and_their_helpers(self):
        self.assertEqual(self.text("tests/BUILD"), _TESTS)

    def test_files_that_are_opened_by_path_are_one_library(self):
        self.assertIn(
            'srcs = [\n        "large.py",\n        "tiny.py",\n    ],\n)',
            self.text("presets/BUILD"),
        )

    def test_a_declared_size_wins(self):
        self.write("tests/slow_test.py", "# bazel: size = large\nfrom tests.fakes import x\n")
        self.assertIn('size = "large"', self.text("tests/BUILD"))

    def test_a_module_is_named_like_its_folder(self):
        self.write("models/models.py", "import models\n")
        text = self.text("models/BUILD")
        self.assertIn('name = "__init__",\n    srcs = ["__init__.py"]', text)
        self.assertIn('name = "models",\n    srcs = ["models.py"],\n    deps = [":__init__"]', text)

    def test_the_init_of_a_package_closes_no_circle(self):
        self.write("models/__init__.py", "from models.net import x\n")
        self.write("models/net.py")
        self.assertIn('name = "net",\n    srcs = ["net.py"],\n)', self.text("models/BUILD"))
        both = 'deps = [\n        "//models",\n        "//models:net",\n    ]'
        self.assertIn(both, self.text("tests/BUILD"))

    def test_writes_what_is_stale_and_then_nothing(self):
        self.write("models/BUILD", "py_library()")
        self.assertLen(build_files.write(self.root, self.build()), 3)
        self.assertEmpty(build_files.stale(self.root, self.build()))
        self.write("models/net.py", "import absl\n")
        self.assertEqual(
            build_files.stale(self.root, self.build()), [pathlib.PurePath("models/BUILD")]
        )

    def test_the_file_of_a_folder_that_is_gone_goes_and_one_by_hand_stays(self):
        build_files.write(self.root, self.build())
        (self.root / "presets").rename(self.root / "settings")
        self.write("pictures/BUILD", 'exports_files(["a.png"])')
        self.write("models/net.py", "from settings import tiny\n")
        self.write("settings/large.py")
        self.write("tests/net_test.py", "# bazel: data = //settings //pictures:a.png\n")
        build_files.write(self.root, self.build())
        self.assertTrue((self.root / "pictures/BUILD").exists())
        self.assertIn("settings", (self.root / "settings/BUILD").read_text())

        (self.root / "settings/large.py").unlink()
        (self.root / "settings/tiny.py").unlink()
        self.write("models/net.py")
        self.write("tests/net_test.py")
        build_files.write(self.root, self.build())
        self.assertFalse((self.root / "settings/BUILD").exists())

    def test_refuses_an_import_that_leads_nowhere(self):
        self.write("models/net.py", "import torch.nn\nfrom presets import gone\n")
        self.assertEqual(
            self.problems(),
            [
                "models/net.py: imports presets.gone, which does not exist",
                "models/net.py: imports torch, which no package of requirements.txt provides",
            ],
        )

    def test_refuses_an_installed_package_that_is_not_locked(self):
        self.write("requirements.txt", "absl-py==1.4.0\ntensorflow==2.14\n")
        self.assertRegex(self.problems()[0], "net.py: imports numpy, which no package of")

    def test_a_package_may_be_unlocked_as_long_as_it_is(self):
        self.write("models/net.py", "# bazel: unlocked = torch\nimport torch\n")
        self.assertNotIn("torch", self.text("models/BUILD"))
        self.write("models/net.py", "# bazel: unlocked = torch\n")
        self.assertRegex(self.problems()[0], "names torch, which is locked or not imported")

    def test_refuses_declarations_that_name_nothing(self):
        self.write(
            "tests/net_test.py",
            "# bazel: data = //gone net.css\n# bazel: size = huge\n",
        )
        self.write("models/net.py", "# bazel: size = large\n")
        self.assertEqual(
            self.problems(),
            [
                "models/net.py: '# bazel: size' is for tests",
                "tests/net_test.py: '# bazel: data' names //gone, which does not exist",
                "tests/net_test.py: '# bazel: data' names net.css, which does not exist",
                "tests/net_test.py: '# bazel: size' must be one of "
                "('small', 'medium', 'large', 'enormous')",
            ],
        )
        self.write("tests/net_test.py", "# bazel: imports = models.gone\n# bazel: sise = large\n")
        found = self.problems()
        self.assertRegex(found[0], "sise.*expected '# bazel: KEY = VALUES'")
        self.assertEqual(found[1], "tests/net_test.py: imports models.gone, which does not exist")

    def test_refuses_two_targets_of_one_name(self):
        self.write("presets/presets.py", "if __name__ == '__main__': pass\n")
        self.assertEqual(
            self.problems(), ["presets/presets.py: another target is called //presets:presets"]
        )

    def test_refuses_a_circle_of_imports(self):
        self.write("presets/tiny.py", "import models.net\n")
        self.assertEqual(
            self.problems(),
            ["these import each other in a circle: //models:net //presets:presets"],
        )

    def test_an_import_for_type_checkers_alone_is_none(self):
        # Each `models.net` would be a circle.
        self.write(
            "presets/tiny.py",
            "if TYPE_CHECKING:\n    import models.net\nelse:\n    import absl\n"
            "if typing.TYPE_CHECKING:\n    from models.net import x\n",
        )
        self.assertIn('deps = ["@pypi//absl_py"]', self.text("presets/BUILD"))

    def write_registries(self) -> None:
        """Shapes, of which the circle has a color, and colors; `models/net.py` knows the shapes."""
        for name in ("shapes", "colors"):
            symbol = name.upper()
            self.write(f"{name}/__init__.py")
            made = f'{symbol}: Registry[int] = Registry("x", "{symbol}", "{name}.all")\n'
            self.write(f"{name}/registry.py", made)
            self.write(f"{name}/all/__init__.py", f'{symbol}.register("not found")(1)\n')
        self.write(
            "shapes/all/circle.py",
            "from colors.registry import COLORS\nfrom shapes.registry import SHAPES\n"
            '@SHAPES.register("circle")\nclass Circle: ...\n',
        )
        self.write("colors/all/red.py", 'COLORS.register("red")(1)\n')
        self.write("colors/all/palette.py", "from colors.registry import COLORS\n")
        self.write("models/net.py", "from shapes.registry import SHAPES\n")

    def test_what_registers_is_in_one_library(self):
        self.write_registries()
        for folder, module in (("shapes", "circle"), ("colors", "red")):
            deps = f'deps = ["//{folder}/all:{module}"],\n)'
            self.assertIn(
                f'    name = "registry_entries",\n    {deps}', self.text(f"{folder}/BUILD")
            )

    def test_programs_and_tests_have_what_registers_in_the_registries_that_they_reach(self):
        self.write_registries()
        # Colors are reached from the circle, which only a registry leads to.
        both = '"//colors:registry_entries",\n        "//shapes:registry_entries",\n'
        program = f'":models",\n        ":net",\n        {both}        "@pypi//absl_py",\n'
        self.assertIn(program, self.text("models/BUILD"))
        test = '"//colors:registry_entries",\n        "//models:net",\n        "//shapes:registry'
        self.assertIn(test, self.text("tests/BUILD"))
        # What registers imports the registry: whoever it imports cannot depend on it.
        library = 'deps = [\n        ":models",\n        "//shapes:registry",\n    ]'
        self.assertIn(library, self.text("models/BUILD"))

    def test_a_test_has_what_registers_in_the_registries_of_its_data(self):
        self.write_registries()
        self.write("presets/tiny.py", "import colors.registry\n")
        self.write("tests/net_test.py", "# bazel: data = //presets\n")
        self.assertIn('deps = ["//colors:registry_entries"]', self.text("tests/BUILD"))

    def test_refuses_a_registry_of_a_place_that_does_not_exist(self):
        self.write("models/net.py", 'NETS = registry.Registry("net", "NETS", "models.gone")\n')
        self.assertEqual(
            self.problems(),
            ["models/net.py: the registry NETS names models.gone, which does not exist"],
        )

    def test_refuses_a_program_that_registers_in_a_registry_which_it_reaches(self):
        self.write_registries()
        self.write(
            "shapes/all/circle.py",
            "import shapes.registry\nSHAPES.register('circle')(1)\n"
            "if __name__ == '__main__': pass\n",
        )
        self.assertEqual(
            self.problems(),
            ["these import each other in a circle: //shapes/all:circle //shapes:registry_entries"],
        )


if __name__ == "__main__":
    absltest.main()
