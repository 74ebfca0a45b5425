"""The entry points as a user runs them: real processes, data, learning process and workers.

Every start costs the import of TensorFlow Federated, so one uninterrupted run serves all tests.
"""

# bazel: size = enormous
# bazel: data = //configs
# bazel: imports = bin.evaluate bin.suggest bin.train

import csv
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
from absl.testing import absltest

from tff_lm.run_folder import metrics_columns
from tff_lm.run_folder.checkpoints import CheckpointStore
from tff_lm.run_folder.workdir import Workdir

ROOT = pathlib.Path(__file__).parents[2]
ROUNDS = 6
TIMEOUT_SECONDS = 540
SETTINGS = (
    "--config=configs/tiny.py",
    f"--config.federated.rounds={ROUNDS}",
    "--config.model.dropout=0.1",
    "--config.upload.codec=uniform",
    "--config.algorithm.name=fed_muon",
    "--config.algorithm.averaging=lawa(rounds=2)",
)
USERS, SENTENCES = 60, 40


def write_corpus(path):
    """JSON lines of people who say what a small grammar lets them, with words of their own."""
    rng = np.random.default_rng(0)
    with open(path, "w") as file:
        for user in range(USERS):
            for _ in range(SENTENCES):
                words = ["how", "are", rng.choice(["you", "we", "they"])]
                words += rng.choice(
                    ["today", "tomorrow", f"friend{user % 7}"], rng.integers(0, 6)
                ).tolist()
                file.write(json.dumps({"user": f"user{user}", "text": " ".join(words)}) + "\n")


def command(program, *arguments):
    return [sys.executable, "-m", f"bin.{program}", *arguments]


def environment(folder):
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
        "BUILD_WORKING_DIRECTORY": str(ROOT),
        "TFF_LM_CACHE": str(folder / "cache"),
    }


def figures(workdir):
    """The rows of metrics.csv without what depends on the clock."""
    with open(workdir.metrics, newline="") as file:
        return [
            {name: text for name, text in row.items() if name not in metrics_columns.WALL_CLOCK}
            for row in csv.DictReader(file)
        ]


class EndToEndTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Below the folder of the test runner, which outlives none of these processes.
        cls.folder = pathlib.Path(absltest.TEST_TMPDIR.value) / f"end_to_end_{os.getpid()}"
        cls.folder.mkdir(parents=True)
        write_corpus(cls.folder / "corpus.jsonl")
        cls.settings = (*SETTINGS, f"--config.task.path={cls.folder / 'corpus.jsonl'}")
        cls.whole = Workdir(cls.folder / "whole")
        done = cls.run_program("train", *cls.settings, f"--workdir={cls.whole.root}")
        if done.returncode != 0:
            raise AssertionError(f"bin.train failed:\n{done.stdout}\n{done.stderr}")
        cls.table = done.stdout

    @classmethod
    def run_program(cls, program, *arguments, text=""):
        return subprocess.run(
            command(program, *arguments),
            cwd=ROOT,
            env=environment(cls.folder),
            input=text,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )

    def start_training(self, workdir):
        return subprocess.Popen(
            command("train", *self.settings, f"--workdir={workdir.root}"),
            cwd=ROOT,
            env=environment(self.folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end_after_row(self, run, workdir, row, signal_number):
        """Sends a signal once metrics.csv has `row`; returns the exit code and the output.

        Fails if any process that the run has started outlives it.
        """
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not any(r["round"] == str(row) for r in self.rows_so_far(workdir)):
            self.assertIsNone(run.poll(), msg="the run ended before its signal")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        family = psutil.Process(run.pid).children(recursive=True)
        self.assertNotEmpty(family, msg="no worker?")
        run.send_signal(signal_number)
        output, _ = run.communicate(timeout=TIMEOUT_SECONDS)
        _, alive = psutil.wait_procs(family, timeout=30)
        self.assertEmpty(alive)
        return run.returncode, output

    def rows_so_far(self, workdir):
        return figures(workdir) if workdir.metrics.exists() else []

    def test_an_interrupted_and_killed_run_ends_equal_to_an_uninterrupted_one(self):
        workdir = Workdir(self.folder / "interrupted")
        code, output = self.end_after_row(self.start_training(workdir), workdir, 1, signal.SIGINT)
        self.assertEqual(code, 130, msg=output)
        self.assertIn("run the same command again", output)
        self.assertNotIn("Traceback", output)
        store = CheckpointStore(workdir.checkpoints)
        stopped_at = store.rounds()[-1]
        self.assertEqual(figures(workdir)[-1]["round"], str(stopped_at))

        code, output = self.end_after_row(
            self.start_training(workdir), workdir, stopped_at + 1, signal.SIGKILL
        )
        self.assertEqual(code, -signal.SIGKILL, msg=output)

        done = self.run_program("train", *self.settings, f"--workdir={workdir.root}")
        self.assertEqual(done.returncode, 0, msg=done.stderr)
        self.assertEqual(figures(workdir), figures(self.whole))
        ours = store.latest()
        theirs = CheckpointStore(self.whole.checkpoints).latest()
        self.assertEqual((ours.round, theirs.round), (ROUNDS, ROUNDS))
        self.assertSameElements(ours.arrays, theirs.arrays)
        for name, array in theirs.arrays.items():
            self.assertEqual(ours.arrays[name].tobytes(), array.tobytes(), msg=name)
        summaries = [json.loads(each.summary.read_text()) for each in (workdir, self.whole)]
        for key in ("test", "validation", "baseline", "communication", "padding_fraction"):
            self.assertEqual(summaries[0][key], summaries[1][key])

    def test_the_summary_has_the_promised_fields(self):
        summary = json.loads(self.whole.summary.read_text())
        self.assertEqual(summary["rounds"], ROUNDS)
        self.assertEqual(summary["clients_per_round"], 3)
        self.assertEqual(summary["seed"], 0)
        for split in ("test", "validation"):
            self.assertGreater(summary[split]["token_perplexity"], 1)
            # Equal, as the words of this corpus are a piece each.
            self.assertGreaterEqual(
                summary[split]["word_perplexity"], summary[split]["token_perplexity"]
            )
            self.assertBetween(summary[split]["top1_accuracy"], 0, 1)
            self.assertGreaterEqual(
                summary[split]["top3_accuracy"], summary[split]["top1_accuracy"]
            )
        self.assertBetween(summary["baseline"]["unigram_perplexity"], 1, 300)
        sent = summary["communication"]
        self.assertEqual(sent["upload_bytes"], 3 * ROUNDS * sent["upload_bytes_per_client"])
        self.assertEqual(sent["download_bytes_per_client"], 4 * summary["parameters"])
        self.assertLess(sent["upload_bytes_per_client"], 0.7 * sent["download_bytes_per_client"])
        for name in ("tokens_per_second", "seconds", "peak_memory_bytes"):
            self.assertGreater(summary[name], 0)
        self.assertBetween(summary["padding_fraction"], 0, 0.5)
        self.assertIn("tensorflow-federated", summary["versions"])

    def test_training_lowers_the_perplexity_of_unseen_people(self):
        rows = [row for row in figures(self.whole) if row["validation_loss"]]
        self.assertLess(float(rows[-1]["validation_loss"]), float(rows[0]["validation_loss"]))

    def test_the_table_says_what_to_do_next(self):
        for text in ("test perplexity", "unigram baseline", "bin.suggest", "bin.evaluate"):
            self.assertIn(text, self.table)

    def test_the_summarys_command_is_the_run_which_shows_its_result_without_tensorflow(self):
        words = shlex.split(json.loads(self.whole.summary.read_text())["command"])
        self.assertEqual(words[:3], ["python", "-m", "bin.train"])
        done = self.run_program("train", *words[3:])
        self.assertEqual(done.returncode, 0, msg=done.stderr)
        self.assertIn(f"{self.whole.root} has finished already", done.stdout)

    def test_a_cohort_larger_than_the_task_is_refused(self):
        done = self.run_program(
            "train",
            *self.settings,
            "--config.federated.clients_per_round=99",
            f"--workdir={self.folder / 'refused'}",
        )
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "error: federated.clients_per_round is 99, .* has \\d+")
        self.assertFalse((self.folder / "refused" / "config.json").exists())

    def test_evaluate_gives_the_figures_of_the_summary(self):
        done = self.run_program("evaluate", f"--workdir={self.whole.root}", "--split=test")
        self.assertEqual(done.returncode, 0, msg=done.stderr)
        summary = json.loads(self.whole.summary.read_text())
        self.assertIn(f"{summary['test']['token_perplexity']:,.2f}", done.stdout)
        self.assertIn(f"{summary['test']['bits_per_word']:,.3f}", done.stdout)

    def test_suggest_answers_a_phrase_and_a_prompt(self):
        one = self.run_program("suggest", f"--workdir={self.whole.root}", "how", "are")
        self.assertEqual(one.returncode, 0, msg=one.stderr)
        lines = one.stdout.splitlines()
        self.assertLen(lines, 5)
        shares = [float(line.split("%")[0]) for line in lines]
        self.assertEqual(shares, sorted(shares, reverse=True))
        self.assertBetween(sum(shares), 0.01, 100)
        two = self.run_program("suggest", f"--workdir={self.whole.root}", text="how are\n")
        self.assertIn(lines[0].split()[1], two.stdout)

    def test_a_mistake_answers_in_one_line(self):
        done = self.run_program("train", *self.settings, "--config.federated.round=3")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"^error: unknown key federated\.round; .*rounds.*\n$")


if __name__ == "__main__":
    absltest.main()
