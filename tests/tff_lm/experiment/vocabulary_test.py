import pathlib

from absl.testing import absltest, parameterized

from tasks.options import TaskOptions
from tff_lm.config import ConfigError
from tff_lm.experiment import vocabulary


class FileOfTest(parameterized.TestCase):
    @parameterized.parameters("vocabulary.txt", "assets/vocabulary.txt")
    def test_a_folder_or_the_file_in_it(self, place):
        folder = pathlib.Path(self.create_tempdir().full_path)
        file = folder / place
        file.parent.mkdir(exist_ok=True)
        file.touch()
        for given in (folder, file):
            self.assertEqual(vocabulary.file_of(TaskOptions(vocabulary=str(given))), str(file))

    def test_nothing_of_that_name(self):
        with self.assertRaisesRegex(ConfigError, r"'chatt' is neither a task \(chat, .*folder"):
            vocabulary.file_of(TaskOptions(vocabulary="chatt"))


if __name__ == "__main__":
    absltest.main()
