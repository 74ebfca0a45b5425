"""--help of the programs: at once, so without TensorFlow, and with everything in it."""

# bazel: data = //configs
# bazel: imports = bin.evaluate bin.plan bin.pretrain bin.report bin.sweep bin.train

import os
import pathlib
import subprocess
import sys

from absl.testing import absltest, parameterized

ROOT = pathlib.Path(__file__).parents[2]

_EXTENSION = """
import dataclasses
from tff_lm.config import add_section
from tff_lm.options import option

@dataclasses.dataclass(frozen=True)
class Options:
    "What is mine."
    speed: int = option(1, "of it")

add_section("mine", Options)
"""


def run(program, *arguments):
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", f"bin.{program}", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )


class HelpTest(parameterized.TestCase):
    @parameterized.parameters("train", "pretrain", "plan", "sweep", "evaluate", "report")
    def test_it_imports_no_tensorflow(self, program):
        done = run(program, "--help")
        self.assertEqual(done.returncode, 0, msg=done.stderr)
        self.assertIn("--", done.stdout)
        imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        self.assertIn("tff_lm.config", imported)
        self.assertEmpty(imported & {"tensorflow", "keras", "tensorflow_federated"})

    def test_names_are_those_of_the_registries_and_of_extensions(self):
        file = self.create_tempfile("mine.py", _EXTENSION).full_path
        done = run("train", "--help", f"--config.extensions={file}")
        self.assertEqual(done.returncode, 0, msg=done.stderr)
        for text in ("transformer_small", "rotary", "eden", "mine: what is mine", "mine.speed"):
            self.assertIn(text, done.stdout)

    def test_a_misspelt_name_is_answered_without_tensorflow(self):
        for flag in ("upload.codec=scaled(edn)", "model.name=lstm_smal"):
            done = run("train", "--config=configs/chat.py", f"--config.{flag}", "--workdir=x")
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, "error: .*did you mean")
            self.assertNotIn("| tensorflow\n", done.stderr)


if __name__ == "__main__":
    absltest.main()
