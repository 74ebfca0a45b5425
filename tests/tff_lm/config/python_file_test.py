# bazel: data = //configs

import os
import pathlib
import sys
import tempfile
from unittest import mock

from absl.testing import absltest, parameterized

from tff_lm.config import ConfigError, python_file

ROOT = pathlib.Path(__file__).parents[3]


class PythonFileTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        patch = mock.patch.dict(os.environ, {"BUILD_WORKING_DIRECTORY": str(ROOT)})
        patch.start()
        self.addCleanup(patch.stop)

    def file(self, text):
        return self.create_tempfile("made.py", text).full_path

    def test_a_function_of_the_file_is_called(self):
        path = self.file("def double(text):\n  return 2 * text\n")
        self.assertEqual(python_file.call(path, "double", "ab"), "abab")

    @mock.patch.object(sys, "dont_write_bytecode", False)
    def test_an_edit_within_the_second_is_seen_and_nothing_is_left_beside_the_file(self):
        folder = tempfile.TemporaryDirectory()  # absl's are those of the run before
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "made.py")
        pathlib.Path(path).write_text("def get():\n  return 'a'\n")
        then = os.stat(path)
        self.assertEqual(python_file.call(path, "get"), "a")
        pathlib.Path(path).write_text("def get():\n  return 'b'\n")
        os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))
        self.assertEqual(python_file.call(path, "get"), "b")
        self.assertEqual(os.listdir(folder.name), ["made.py"])

    @parameterized.parameters(
        ("def get(\n", r"made\.py, line 1: '\(' was never closed"),
        ("import os\n\ndef get():\n  return os.nothing\n", r"made\.py, line 4: .*nothing"),
        ("x = 1\n", r"made\.py has no get\(\)"),
    )
    def test_mistakes_are_named_with_their_line(self, text, message):
        with self.assertRaisesRegex(ConfigError, message):
            python_file.call(self.file(text), "get")

    def test_a_preset_is_found_from_where_the_user_is(self):
        self.assertEqual(python_file.load_preset("configs/tiny.py").model.name, "transformer_tiny")

    def test_a_variant_is_handed_on(self):
        path = self.file(
            "from tff_lm.config import default_config\n"
            "def get_config(variant):\n"
            "  config = default_config()\n"
            "  config.task.user_column = variant\n"
            "  return config\n"
        )
        self.assertEqual(python_file.load_preset(f"{path}:ab").task.user_column, "ab")

    def test_what_is_no_preset_is_refused(self):
        with self.assertRaisesRegex(ConfigError, r"must return .*default_config\(\), changed"):
            python_file.load_preset(self.file("def get_config():\n  return {}\n"))
        with self.assertRaisesRegex(ConfigError, "no file configs/tini.py; did you mean .*tiny.py"):
            python_file.load_preset("configs/tini.py")


if __name__ == "__main__":
    absltest.main()
