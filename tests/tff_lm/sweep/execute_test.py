"""Whole sweeps over fake runs: real processes of the real program, without TensorFlow."""

# bazel: size = large

import contextlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import psutil
from absl.testing import absltest

from tests.tff_lm.sweep import fake_sweep
from tff_lm.config import ConfigError
from tff_lm.run_folder.errors import RunError
from tff_lm.sweep import execute, progress, record
from tff_lm.sweep.plan import Planner

TIMEOUT_SECONDS = 120
ROUNDS = fake_sweep.ROUNDS


class ExecuteTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        # Below the folder of the test runner, so that files outlive what a failed test leaves.
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.root = self.folder / "runs"
        self.out, self.err = io.StringIO(), io.StringIO()

    def write(self, rest):
        return fake_sweep.write(self.folder, rest)

    def execute(self, file, **request):
        """Executes in this process; returns the exit code and the screen of this call alone."""
        self.out, self.err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(self.out), contextlib.redirect_stderr(self.err):
            return fake_sweep.execute_fake(file, self.root, **request)

    def summary(self, experiment, seed=0):
        path = self.root / experiment / f"seed_{seed}" / "summary.json"
        return json.loads(path.read_text()) if path.exists() else None

    def started(self):
        return self.err.getvalue().count(": started")

    def test_a_sweep_runs_collects_survives_a_failure_and_skips_what_is_done(self):
        file = self.write('runs={"failing": {}, "a": {}, "b": {"upload.codec": "float16"}}')
        results = self.folder / "results"
        self.assertEqual(self.execute(file, parallel=2, collect=results), 1)
        self.assertEqual(self.started(), 3)
        self.assertEqual(self.summary("b")["rounds"], ROUNDS)
        self.assertEqual(self.summary("b")["experiment"], "b")
        self.assertIsNone(self.summary("failing"))
        log = self.root / "failing" / "seed_0" / "logs" / "run.log"
        last = self.err.getvalue().splitlines()[-1]
        self.assertEqual(last, f"failed: failing-seed_0: error: round 1 went wrong ({log})")
        self.assertIn("2 summaries in", self.out.getvalue())
        copies = sorted(path.name for path in (results / "made").iterdir())
        self.assertEqual(copies, ["a-seed_0.json", "b-seed_0.json", "sweep.json"])
        for folder in (self.root, results / "made"):
            self.assertEqual(record.read(folder), record.Record(file, str(self.root), str(results)))
        self.assertEqual(
            json.loads((results / "made" / "b-seed_0.json").read_text()), self.summary("b")
        )

        (results / "made" / "a-seed_0.json").unlink()
        self.assertEqual(self.execute(file, only="^[ab]-", collect=results), 0)
        self.assertEqual(self.started(), 0)
        self.assertTrue((results / "made" / "a-seed_0.json").exists())
        self.assertIn("A sweep", self.out.getvalue())

    def test_nothing_starts_if_one_run_cannot_be_configured(self):
        file = self.write('runs={"a": {}, "b": {"upload.codex": "drive"}}')
        with self.assertRaisesRegex(ConfigError, "b: unknown key upload.codex"):
            self.execute(file)
        self.assertFalse(self.root.exists())

    def test_a_broken_sweep_file_is_named_with_its_line(self):
        file = self.write("runs={**{}['a']}")
        with self.assertRaisesRegex(ConfigError, r"made\.py, line 8: 'a'"):
            self.execute(file)

    def test_a_search_goes_on_after_the_runs(self):
        space = '{"algorithm.client_learning_rate": FloatDistribution(0.1, 1.0)}'
        file = self.write(f'runs={{"a": {{}}}}, search=Search({space}, trials=2)')
        self.assertEqual(self.execute(file, parallel=2), 0)
        self.assertEqual(self.started(), 3)
        self.assertEqual(self.summary("trial_001")["rounds"], ROUNDS)
        drawn = record.read(self.root).trials
        self.assertEqual(list(drawn), ["trial_000", "trial_001"])
        for name, values in drawn.items():
            rate = values["algorithm.client_learning_rate"]
            self.assertBetween(rate, 0.1, 1.0)
            self.assertIn(f"{name}: client_learning_rate={rate:.3g} ", self.out.getvalue())
        self.assertEqual(self.execute(file), 0)
        self.assertEqual(self.started(), 0)
        self.assertEqual(record.read(self.root).trials, drawn)

    def write_warm(self, experiment):
        """A sweep whose runs but one start from what `experiment` trains for three rounds."""
        start = self.folder / "pretrained"
        options = f'{{"task.path": "/nowhere", "pretrain.passes": 1, "experiment": "{experiment}"}}'
        preset = fake_sweep.ROOT / "configs" / "tiny.py"
        warm = f'{{"warm_start.checkpoint": "{start}"}}'
        return start, self.write(
            f'runs={{"a": {warm}, "b": {warm}, "cold": {{}}}}, '
            f'pretrainings={{"{start}": Pretraining(300, {options}, config="{preset}")}}'
        )

    def test_what_runs_start_from_is_trained_first_and_once(self):
        start, file = self.write_warm("first")
        self.assertEqual(self.execute(file, only="^cold"), 0)
        self.assertEqual(self.started(), 1)
        self.assertFalse(start.exists())
        self.assertEqual(self.execute(file, only="^a", parallel=2), 0)
        lines = self.err.getvalue().splitlines()
        self.assertEqual(lines[0], "pretrain_pretrained-seed_0: started")
        self.assertStartsWith(lines[1], "pretrain_pretrained-seed_0: finished")
        self.assertEqual(lines[2], "a-seed_0: started")
        self.assertEqual(json.loads((start / "config.json").read_text())["pretrain"]["steps"], 300)
        self.assertEqual(self.execute(file), 0)
        self.assertEqual(self.started(), 1)
        self.assertNotIn("pretrain_pretrained", self.out.getvalue())

    def test_nothing_starts_from_a_pretraining_that_failed(self):
        _, file = self.write_warm("failing")
        self.assertEqual(self.execute(file), 1)
        self.assertEqual(self.started(), 2)
        self.assertIsNone(self.summary("a"))
        self.assertEqual(self.summary("cold")["rounds"], ROUNDS)
        self.assertIn("failed: pretrain_pretrained-seed_0: error:", self.err.getvalue())
        self.assertIn(
            "b-seed_0: not started: pretrain_pretrained-seed_0, which it starts from, failed",
            self.err.getvalue(),
        )

    def start(self, file, parallel):
        environment = {
            **os.environ,
            "FAKE_ROUND_SECONDS": "0.3",
            "PYTHONPATH": os.pathsep.join([str(fake_sweep.ROOT), *sys.path]),
        }
        module = "tests.tff_lm.sweep.fake_sweep"
        return subprocess.Popen(
            [sys.executable, "-m", module, file, str(self.root), str(parallel)],
            env=environment,
            cwd=fake_sweep.ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end_once_trained(self, sweep, experiments, signal_number):
        """Sends a signal once each experiment has trained a round; returns code and output.

        Fails if a process of the sweep outlives it.
        """
        deadline = time.monotonic() + TIMEOUT_SECONDS
        metrics = [self.root / name / "seed_0" / "metrics.csv" for name in experiments]
        while not all(path.exists() and path.read_text().count("\n") > 2 for path in metrics):
            self.assertIsNone(sweep.poll(), msg="the sweep ended before its signal")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        family = psutil.Process(sweep.pid).children(recursive=True)
        self.assertLen(family, len(experiments))
        sweep.send_signal(signal_number)
        output, _ = sweep.communicate(timeout=TIMEOUT_SECONDS)
        _, alive = psutil.wait_procs(family, timeout=30)
        self.assertEmpty(alive)
        return sweep.returncode, output

    def test_a_signal_reaches_every_run_and_the_sweep_goes_on_later(self):
        # Long enough for both to be at it when the signal comes, however late one of them starts.
        slow = '{"federated.rounds": 100}'
        file = self.write(f'runs={{"slow_1": {slow}, "slow_2": {slow}, "a": {{}}}}')
        code, output = self.end_once_trained(
            self.start(file, 2), ["slow_1", "slow_2"], signal.SIGTERM
        )
        self.assertEqual(code, 143, msg=output)
        self.assertIn("run the same command again to go on", output)
        self.assertNotIn("FAILED", output)
        self.assertFalse((self.root / "a").exists())
        for name in ("slow_1", "slow_2"):
            folder = self.root / name / "seed_0"
            self.assertIn("stopping after this round", (folder / "logs" / "run.log").read_text())
            self.assertNotEmpty(list((folder / "checkpoints").iterdir()))
        self.assertEqual(self.execute(file), 0)
        self.assertEqual(self.started(), 3)
        for name, rounds in (("slow_1", 100), ("slow_2", 100), ("a", ROUNDS)):
            self.assertEqual(self.summary(name)["rounds"], rounds)

    def test_a_killed_sweep_leaves_no_process_and_resumes(self):
        file = self.write('runs={"slow": {"federated.rounds": 100}}')
        code, output = self.end_once_trained(self.start(file, 1), ["slow"], signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL, msg=output)
        self.assertIsNone(self.summary("slow"))
        self.assertEqual(self.execute(file), 0)
        self.assertEqual(self.summary("slow")["rounds"], 100)

    def test_a_second_sweep_in_the_same_folder_is_refused(self):
        file = self.write('runs={"slow": {"federated.rounds": 100}}')
        first = self.start(file, 1)
        try:
            while not (self.root / "slow").exists():
                self.assertIsNone(first.poll())
                time.sleep(0.02)
            with self.assertRaisesRegex(RunError, f"process {first.pid} is at work"):
                self.execute(file)
        finally:
            first.kill()
            first.communicate()


class Terminal(io.StringIO):
    def isatty(self):
        return True


class ProgressTest(absltest.TestCase):
    def test_the_bar_follows_the_rounds_of_all_runs_even_backwards(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        file = fake_sweep.write(folder, 'runs={"a": {}, "b": {}}')
        first, second = Planner(execute.load(file), folder).runs()
        screen = Terminal()
        bar = progress.SweepProgress([first], rounds_to_come=second.rounds, stream=screen)
        self.assertEqual(bar.standing(), f"0 of {2 * ROUNDS} rounds of the sweep")
        bar.add(second)
        for run in (first, second):
            run.workdir.create()
            run.workdir.metrics.write_text("round\n0\n1\n2\n")
        bar.show(["a", "b"])
        self.assertStartsWith(bar.standing(), f"4 of {2 * ROUNDS} rounds of the sweep, about ")
        first.workdir.metrics.write_text("round\n0\n")
        bar.show(["b"])
        bar.close()
        self.assertIn(f"2/{2 * ROUNDS}", screen.getvalue())

    def rounds_done(self, text):
        path = self.create_tempfile(content=text).full_path
        return progress.last_round(pathlib.Path(path))

    def test_the_last_whole_line_counts(self):
        self.assertEqual(self.rounds_done("round,loss\n0,\n1,3.5\n2,3.4\n"), 2)
        self.assertEqual(self.rounds_done("round,loss\n0,\n1,3.5\n2,3"), 1)
        self.assertEqual(self.rounds_done("round,loss\n"), 0)
        self.assertEqual(progress.last_round(pathlib.Path("/nowhere")), 0)


if __name__ == "__main__":
    absltest.main()
