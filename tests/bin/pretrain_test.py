"""bin.pretrain and what builds on it, as a user runs them: each program in a process of its own."""

# bazel: size = enormous
# bazel: data = //configs
# bazel: imports = bin.evaluate bin.export bin.pretrain bin.suggest bin.train

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from absl.testing import absltest

from tests.tasks import fixtures
from tff_lm.run_folder.checkpoints import CheckpointStore
from tff_lm.run_folder.metrics_table import read_rows
from tff_lm.run_folder.workdir import Workdir

ROOT = pathlib.Path(__file__).parents[2]
TIMEOUT_SECONDS = 540


class PretrainTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(absltest.TEST_TMPDIR.value) / f"pretrain_{os.getpid()}"
        cls.folder.mkdir(parents=True)
        corpus = fixtures.write_json_lines(str(cls.folder), per_split=5, each=20)
        cls.settings = (
            "--config=configs/tiny.py",
            f"--config.task.path={corpus}",
            "--config.task.vocabulary_size=120",
            "--config.model.dropout=0.1",
        )
        cls.pretraining = (
            *cls.settings,
            "--config.pretrain.passes=12",
            "--config.pretrain.batch_size=8",
            "--config.pretrain.steps_per_round=5",
        )
        cls.whole = Workdir(cls.folder / "whole")
        done = cls.run_program("pretrain", *cls.pretraining, f"--workdir={cls.whole.root}")
        if done.returncode != 0:
            raise AssertionError(f"bin.pretrain failed:\n{done.stdout}\n{done.stderr}")
        cls.table = done.stdout

    @classmethod
    def start(cls, program, *arguments):
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
            "BUILD_WORKING_DIRECTORY": str(ROOT),
            "TFF_LM_CACHE": str(cls.folder / "cache"),
        }
        return subprocess.Popen(
            [sys.executable, "-m", f"bin.{program}", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @classmethod
    def run_program(cls, program, *arguments):
        process = cls.start(program, *arguments)
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def test_a_killed_run_ends_equal_to_an_uninterrupted_one(self):
        workdir = Workdir(self.folder / "killed")
        arguments = (*self.pretraining, f"--workdir={workdir.root}")
        run = self.start("pretrain", *arguments)
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not CheckpointStore(workdir.checkpoints).rounds()[-1:] > [1]:
            self.assertIsNone(run.poll(), msg="the run ended before it was killed")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=TIMEOUT_SECONDS)
        self.assertFalse(workdir.summary.exists())
        done = self.run_program("pretrain", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        ours, theirs = (
            CheckpointStore(each.checkpoints).latest() for each in (workdir, self.whole)
        )
        self.assertEqual(ours.round, theirs.round)
        self.assertSameElements(ours.arrays, theirs.arrays)
        for name, array in theirs.arrays.items():
            self.assertEqual(ours.arrays[name].tobytes(), array.tobytes(), name)
        losses = [
            [row.get("validation_loss") for row in read_rows(each.metrics)]
            for each in (workdir, self.whole)
        ]
        self.assertEqual(*losses)

    def test_the_summary_and_the_table(self):
        summary = json.loads(self.whole.summary.read_text())
        self.assertEqual(summary["algorithm"], "central")
        self.assertStartsWith(summary["command"], "python -m bin.pretrain --config=configs/tiny.py")
        self.assertIn("--config.pretrain.passes=12", summary["command"])
        self.assertNotIn("rounds", summary["command"])
        self.assertIn(f"{summary['steps']} steps", self.table)
        self.assertNotIn("uploaded", self.table)
        self.assertIn(f"--config.warm_start.checkpoint={self.whole.root}", self.table)

    def test_the_other_programs_take_its_workdir(self):
        workdir = f"--workdir={self.whole.root}"
        done = self.run_program("evaluate", workdir, "--split=test")
        self.assertEqual(done.returncode, 0, done.stderr)
        summary = json.loads(self.whole.summary.read_text())
        self.assertIn(f"{summary['test']['token_perplexity']:,.2f}", done.stdout)
        words = self.run_program("suggest", workdir, "the", "cat").stdout
        out = self.folder / "exported"
        done = self.run_program("export", workdir, f"--out={out}", "--checkpoint=latest")
        self.assertEqual(done.returncode, 0, done.stderr)
        code = done.stdout.partition("import")[2].replace("how are", "the cat")
        code = "\n".join(line.strip() for line in f"import{code}".splitlines())
        loaded = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        best = words.splitlines()[0].split()[1]
        self.assertIn(f"b{best!r}", loaded.stdout.replace('"', "'"))

    def test_mistakes_are_answered_in_one_line(self):
        elsewhere = f"--workdir={self.folder / 'elsewhere'}"
        for program, flags, message in (
            ("pretrain", self.settings, "pretrain.passes is missing"),
            ("train", self.pretraining, "pretrain.passes is for bin.pretrain"),
            (
                "train",
                (*self.settings, f"--config.warm_start.checkpoint={self.folder}"),
                "neither the folder of a run",
            ),
            ("train", (*self.settings, "--config.lora.rank=2"), "lora.rank needs warm_start"),
            ("pretrain", (*self.pretraining, "--config.task.name=lm1b"), "lm1b: neither"),
            ("export", (f"--workdir={self.whole.root}", f"--out={self.folder}"), "is there alre"),
        ):
            with self.subTest(message):
                where = () if program == "export" else (elsewhere,)
                done = self.run_program(program, *flags, *where)
                self.assertEqual(done.returncode, 2)
                self.assertRegex(done.stderr, f"^error: .*{message}.*\n$")


if __name__ == "__main__":
    absltest.main()
