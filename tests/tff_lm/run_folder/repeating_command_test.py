import os
import pathlib
import shlex
from unittest import mock

from absl.testing import absltest, parameterized

from tests.tff_lm.config import command_lines
from tff_lm.config import default_config, flatten, python_file
from tff_lm.run_folder import repeating_command
from tff_lm.run_folder.workdir import Workdir

_PRESET = """
from tff_lm.config import default_config

def get_config(variant=""):
    config = default_config()
    config.task.vocabulary = "chat"
    config.federated.rounds = 7
    return config
"""


class CommandTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = self.create_tempdir().full_path
        patch = mock.patch.dict(os.environ, {"BUILD_WORKING_DIRECTORY": self.root})
        patch.start()
        self.addCleanup(patch.stop)

    def words(self, config, preset_file="configs/chat.py", workdir="runs/chat"):
        root = pathlib.Path(self.root)
        line = repeating_command.train_command(
            config, default_config(), str(root / preset_file), Workdir(root / workdir)
        )
        return shlex.split(line)

    def test_only_what_differs_from_the_preset(self):
        config = default_config()
        config.experiment = "drive_1"
        config.seed = 3
        config.upload.codec = "drive"
        self.assertEqual(
            self.words(config, workdir="runs/mine/drive_1"),
            ["python", "-m", "bin.train", "--config=configs/chat.py"]
            + ["--workdir=runs/mine/drive_1", "--config.experiment=drive_1"]
            + ["--config.seed=3", "--config.upload.codec=drive"],
        )

    def test_the_workdir_is_where_the_run_was(self):
        for workdir, shown in (("runs/chat", "runs/chat"), ("/else/a b", "/else/a b")):
            self.assertIn(f"--workdir={shown}", self.words(default_config(), workdir=workdir))

    def test_a_preset_from_elsewhere_is_named_in_full(self):
        for file, shown in (("configs/a.py:b/c",) * 2, ("/else/a.py:b/c",) * 2):
            self.assertIn(f"--config={shown}", self.words(default_config(), file))

    def test_paths(self):
        config = default_config()
        config.task.cache_dir = "/home/somebody/.cache"
        config.runtime.workers = "somewhere:8000"
        self.assertLen(self.words(config), 5)
        for path, shown in (
            ("/home/somebody/my corpus.jsonl", "/home/somebody/my corpus.jsonl"),
            (f"{self.root}/data/corpus.jsonl", "data/corpus.jsonl"),
            ("data/corpus.jsonl", "data/corpus.jsonl"),
        ):
            config.task.path = path
            self.assertIn(f"--config.task.path={shown}", self.words(config))
        config.extensions = f"{self.root}/a.py,/else/b.py,some.module"
        self.assertIn("--config.extensions=a.py,/else/b.py,some.module", self.words(config))

    @parameterized.parameters(
        {},
        {"task.vocabulary": ""},
        {"task.path": "/home/somebody/it's mine.csv", "task.name": "text"},
        {"upload.codec": "rotated(uniform(bits=4))", "task.lower_case": False},
        {"algorithm.server_epsilon": 1e-7, "partial.include": "block|it's", "experiment": "a b"},
    )
    def test_read_again_it_is_the_same_configuration(self, **changes):
        file = pathlib.Path(self.root) / "mine.py"
        file.write_text(_PRESET)
        name = f"{file}:v"
        flags = repeating_command.override_flags(changes)
        config, said, _ = command_lines.parse(f"--config={name}", *flags)
        self.assertIsNotNone(config, msg=said)
        workdir = Workdir(pathlib.Path(self.root) / "runs" / "a b")
        preset = python_file.load_preset(name)
        line = repeating_command.train_command(config, preset, name, workdir)
        again, said, _ = command_lines.parse(*shlex.split(line)[3:])
        self.assertIsNotNone(again, msg=said)
        self.assertEqual(list(flatten(again)), list(flatten(config)))


if __name__ == "__main__":
    absltest.main()
