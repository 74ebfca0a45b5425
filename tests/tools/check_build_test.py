import pathlib

from absl.testing import absltest

from tools import check_build

_BUILD = """
py_library(name = "good", srcs = ["good.py"], deps = ["@pypi//absl_py"])
"""


class CheckBuildTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        self.write("requirements.txt", "absl-py==1.4.0 \\\n    --hash=sha256:0\n")
        self.write("tasks/good.py")
        self.write("tasks/BUILD", _BUILD)

    def write(self, path: str, content: str = "") -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def test_accepts_a_complete_build_file(self):
        self.assertEmpty(check_build.problems(self.root))

    def test_reports_a_module_without_a_target(self):
        self.write("tasks/forgotten.py")
        self.assertRegex(check_build.problems(self.root)[0], "tasks/forgotten.py: is in no py_lib")

    def test_reports_a_test_that_is_only_a_library(self):
        self.write("tests/good_test.py")
        self.write("tests/BUILD", 'py_library(name = "good_test", srcs = ["good_test.py"])')
        self.assertRegex(check_build.problems(self.root)[0], "tests/good_test.py: is in no py_test")

    def test_reports_a_source_that_does_not_exist(self):
        (self.root / "tasks/good.py").unlink()
        self.assertEqual(check_build.problems(self.root), ["tasks/BUILD: good.py does not exist"])

    def test_reports_a_package_that_is_not_locked(self):
        self.write("requirements.txt", "numpy==1.25.2\n")
        self.assertRegex(check_build.problems(self.root)[0], "absl_py is not in requirements.txt")

    def test_reports_an_import_that_no_rule_brings(self):
        self.write("bin/__init__.py")
        self.write("bin/use.py", "import sys\nfrom tasks import good\nfrom tasks.good import x\n")
        rule = """
py_library(name = "init", srcs = ["__init__.py"])
py_library(name = "use", srcs = ["use.py"], deps = [%s])
py_library(name = "between", deps = ["//tasks:good"])
"""
        self.write("bin/BUILD", rule % '":between"')
        self.assertEmpty(check_build.problems(self.root))
        self.write("bin/BUILD", rule % "")
        self.assertEqual(
            check_build.problems(self.root),
            ["bin/BUILD: use.py imports tasks/good.py, which no rule in its deps has"],
        )

    def test_reports_a_rule_that_does_not_exist(self):
        self.write("tasks/BUILD", _BUILD.replace("@pypi//absl_py", ":bad"))
        self.assertRegex(check_build.problems(self.root)[0], "//tasks:bad is no Python rule")


if __name__ == "__main__":
    absltest.main()
