import os
import pathlib
import shlex
from unittest import mock

from absl.testing import absltest

from tff_lm.config import default_config
from tff_lm.run_folder import repeating_command


class CommandTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = self.create_tempdir().full_path
        patch = mock.patch.dict(os.environ, {"BUILD_WORKING_DIRECTORY": self.root})
        patch.start()
        self.addCleanup(patch.stop)

    def words(self, config, preset_file="configs/chat.py"):
        preset = str(pathlib.Path(self.root) / preset_file)
        return shlex.split(repeating_command.train_command(config, default_config(), preset))

    def test_only_what_differs_from_the_preset(self):
        config = default_config()
        config.experiment = "drive_1"
        config.seed = 3
        config.upload.codec = "drive"
        self.assertEqual(
            self.words(config),
            ["python", "-m", "bin.train", "--config=configs/chat.py"]
            + ["--workdir=runs/drive_1/seed_3", "--config.experiment=drive_1"]
            + ["--config.seed=3", "--config.upload.codec=drive"],
        )

    def test_a_run_without_a_name_is_called_after_its_preset(self):
        self.assertIn("--workdir=runs/chat/seed_0", self.words(default_config()))
        for row in ("b", "b/c"):
            self.assertIn(
                f"--config=configs/a.py:{row}", self.words(default_config(), f"configs/a.py:{row}")
            )
        self.assertIn("--config=a.py:b/c", self.words(default_config(), "/elsewhere/a.py:b/c"))

    def test_it_says_nothing_of_the_machine(self):
        config = default_config()
        config.task.path = "/home/somebody/my corpus.jsonl"
        config.task.cache_dir = "/home/somebody/.cache"
        config.runtime.workers = "somewhere:8000"
        words = self.words(config)
        self.assertIn("--config.task.path=my corpus.jsonl", words)
        self.assertLen(words, 6)
        config.task.path = f"{self.root}/data/corpus.jsonl"
        self.assertIn("--config.task.path=data/corpus.jsonl", self.words(config))


if __name__ == "__main__":
    absltest.main()
