import pathlib

from absl.testing import absltest, parameterized

from tasks.errors import TaskError
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

    def test_the_text_itself_is_looked_for_first(self):
        folder = self.create_tempdir().full_path
        with self.assertRaisesRegex(TaskError, f"^lm1b: neither .* is in {folder}"):
            vocabulary.file_of(TaskOptions("lm1b", path=folder, vocabulary="text"))

    def test_a_vocabulary_that_cannot_be_learned_can_be_done_without(self):
        folder = self.create_tempdir()
        folder.create_file("a.txt", "some text\n")
        options = TaskOptions("plain_text", path=folder.full_path, vocabulary="text")
        with self.assertRaisesRegex(
            TaskError, r"^task.vocabulary=text: text: .*task.vocabulary= .* from plain_text instead"
        ):
            vocabulary.file_of(options)


if __name__ == "__main__":
    absltest.main()
