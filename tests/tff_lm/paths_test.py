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


if __name__ == "__main__":
    absltest.main()
