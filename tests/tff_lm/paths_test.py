import os
from unittest import mock

from absl.testing import absltest

from tff_lm import paths


class ResolveTest(absltest.TestCase):
    def test_relative_path_starts_where_the_user_typed_it_under_bazel_run(self):
        with mock.patch.dict(os.environ, BUILD_WORKING_DIRECTORY="/home/ada/project"):
            self.assertEqual(paths.resolve("runs/../runs/chat"), "/home/ada/project/runs/chat")

    def test_relative_path_starts_in_the_current_folder_otherwise(self):
        with mock.patch.dict(os.environ):
            os.environ.pop("BUILD_WORKING_DIRECTORY", None)
            self.assertEqual(paths.resolve("runs"), os.path.join(os.getcwd(), "runs"))

    def test_absolute_and_home_paths_do_not_depend_on_the_folder(self):
        with mock.patch.dict(os.environ, BUILD_WORKING_DIRECTORY="/elsewhere", HOME="/home/ada"):
            self.assertEqual(paths.resolve("/data/text.csv"), "/data/text.csv")
            self.assertEqual(paths.resolve("~/text.csv"), "/home/ada/text.csv")

    def test_as_typed(self):
        with mock.patch.dict(os.environ, BUILD_WORKING_DIRECTORY="/home/ada", HOME="/home/ada"):
            for path, typed in (
                ("/home/ada/runs/chat", "runs/chat"),
                ("runs/chat/", "runs/chat"),
                ("~/mine.csv", "mine.csv"),
                ("/home/ada", "."),
                ("/home/adam/mine.csv", "/home/adam/mine.csv"),
                ("../bob/mine.csv", "/home/bob/mine.csv"),
                ("..mine.csv", "..mine.csv"),
            ):
                self.assertEqual(paths.as_typed(path), typed)
                self.assertEqual(paths.resolve(typed), paths.resolve(path))

    def test_a_list_resolves_each_path_and_leaves_a_comma_in_a_name(self):
        folder = self.create_tempdir()
        there = folder.create_file("a,b").full_path
        with mock.patch.dict(os.environ, BUILD_WORKING_DIRECTORY="/x/y", HOME="/home/ada"):
            self.assertEqual(
                paths.resolve_each("../a, ../../b,~/c,,/d"), ["/x/a", "/b", "/home/ada/c", "/d"]
            )
            self.assertEqual(paths.resolve_each(there), [there])
            self.assertEqual(paths.resolve_each(""), [])
            self.assertEqual(paths.resolve_list("a,b"), "/x/y/a,/x/y/b")
            self.assertEqual(paths.resolve_list(""), "")


if __name__ == "__main__":
    absltest.main()
