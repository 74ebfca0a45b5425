"""Every command that docs/results.md prints is one that a user of this clone can give."""

# bazel: data = //:published //configs //configs/sweeps

import os
import pathlib
import re
import shlex
from unittest import mock

from absl.testing import absltest

from tff_lm import paths
from tests.tff_lm.config import command_lines
from tff_lm.config import python_file
from tff_lm.sweep import Sweep

ROOT = pathlib.Path(__file__).parents[3]
_COMMAND = re.compile(r"^python -m (.+)$", re.MULTILINE)
_KNOWN = {"bin.train", "bin.pretrain", "bin.sweep", "benchmarks.codecs"}


class CommandsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        patch = mock.patch.dict(os.environ, {"BUILD_WORKING_DIRECTORY": str(ROOT)})
        patch.start()
        self.addCleanup(patch.stop)
        text = (ROOT / "docs" / "results.md").read_text()
        self.commands = [shlex.split(line) for line in _COMMAND.findall(text)]

    def test_it_is_a_program_of_ours(self):
        self.assertSameElements({program for program, *_ in self.commands} - _KNOWN, [])
        self.assertGreater(len(self.commands), 100)

    def test_runs_have_valid_configurations_and_a_workdir(self):
        for program, *flags in self.commands:
            if program not in ("bin.train", "bin.pretrain"):
                continue
            config, said, _ = command_lines.parse(*flags)
            self.assertIsNotNone(config, msg=f"{shlex.join(flags)}: {said}")
            self.assertEqual(bool(config.pretrain.passes), program == "bin.pretrain")
            self.assertLen([flag for flag in flags if flag.startswith("--workdir=")], 1)
            if config.task.path:
                self.assertTrue(os.path.exists(paths.resolve(config.task.path)))

    def test_sweeps_are_there(self):
        sweeps = [
            dict(flag.split("=", 1) for flag in flags)
            for p, *flags in self.commands
            if p == "bin.sweep"
        ]
        self.assertNotEmpty(sweeps)
        for flags in sweeps:
            self.assertContainsSubset({"--sweep", "--workdir"}, flags)
            file = python_file.existing(flags["--sweep"], "configs/sweeps")
            self.assertIsInstance(python_file.call(file, "get_sweep"), Sweep)


if __name__ == "__main__":
    absltest.main()
