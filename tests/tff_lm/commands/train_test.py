"""The whole training program on a fake runtime: files, resuming, interruption, refusals."""

import contextlib
import csv
import io
import json
import math
import os
import pathlib
import re
import resource
import signal
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized
from tensorboard.backend.event_processing import event_file_loader

from tff_lm import figures
from tests.tff_lm.program import fakes
from tff_lm.commands import failures, train
from tff_lm.config import ConfigError
from tff_lm.run_folder import metrics_columns, plots, progress
from tff_lm.run_folder.checkpoints import CheckpointStore
from tff_lm.run_folder.errors import RunError
from tff_lm.run_folder.workdir import Lock, Workdir
from tff_lm.runtime.errors import RuntimeFailure


class Killed(BaseException):
    """Stands for kill -9: nothing in the program catches it."""


def kill_before(number):
    def before_round(current):
        if current == number:
            raise Killed

    return before_round


def signal_before(number, *signals):
    def before_round(current):
        if current == number:
            for each in signals:
                os.kill(os.getpid(), each)

    return before_round


def read_csv(workdir):
    """The rows as texts, without what depends on the clock."""
    with open(workdir.metrics, newline="") as file:
        return [
            {name: text for name, text in row.items() if name not in metrics_columns.WALL_CLOCK}
            for row in csv.DictReader(file)
        ]


class LaunchTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.workdir = Workdir(pathlib.Path(self.create_tempdir().full_path))
        self.out, self.err = io.StringIO(), io.StringIO()
        # Drawing takes most of the time of a fake run; one test does draw.
        self.drawing = mock.patch.object(plots, "draw")
        self.drawing.start()
        self.addCleanup(mock.patch.stopall)

    def train(self, config=None, runtime=None, workdir=None, **changes):
        runtime = runtime or fakes.FakeRuntime()
        build = fakes.builder(runtime, **changes)
        with contextlib.redirect_stdout(self.out), contextlib.redirect_stderr(self.err):
            try:
                return train.train(config or fakes.config(), workdir or self.workdir, build)
            except (RunError, OSError) as error:
                return failures.answer(error)

    def final_state(self, workdir):
        return CheckpointStore(workdir.checkpoints).latest()

    def test_a_run_leaves_every_file(self):
        self.drawing.stop()
        self.assertEqual(self.train(), 0)
        rows = read_csv(self.workdir)
        self.assertEqual([row["round"] for row in rows], list("0123456"))
        evaluated = [row["round"] for row in rows if row["validation_loss"]]
        self.assertEqual(evaluated, list("0246"))
        summary = json.loads(self.workdir.summary.read_text())
        self.assertEqual(summary["rounds"], 6)
        self.assertEqual(summary["baseline"]["unigram_perplexity"], 321.0)
        self.assertEqual(summary["communication"]["upload_bytes"], 6 * 3 * fakes.UPLOAD_BYTES)
        self.assertEqual(
            summary["communication"]["download_bytes_per_client"], fakes.DOWNLOAD_BYTES
        )
        self.assertEqual(summary["communication"]["upload_reduction"], 1.0)
        self.assertAlmostEqual(summary["padding_fraction"], 0.5)
        self.assertEqual(summary["tokens"], 6 * 3 * fakes.TOKENS)
        written = json.loads(self.workdir.config.read_text())
        self.assertEqual(written["federated"]["rounds"], 6)
        self.assertIn(written["runtime"]["precision"], ("float32", "bfloat16"))
        for name in ("perplexity_by_round.png", "perplexity_by_upload.png"):
            self.assertGreater((self.workdir.plots / name).stat().st_size, 5000)
        self.assertNotEmpty(list(self.workdir.tensorboard.iterdir()))
        self.assertIn("321.00 (321.00 with end of sentence) a sub-word", self.out.getvalue())

    def test_a_second_evaluation_is_recorded_by_its_name(self):
        config = fakes.config(evaluation__names="validation, adapted")
        with mock.patch.object(progress.Progress, "say") as say:
            self.assertEqual(self.train(config), 0)
        said = [call.args[0] for call in say.call_args_list]
        rows = [row for row in read_csv(self.workdir) if row["validation_loss"]]
        self.assertLen(rows, 4)
        for row in rows:
            loss = float(row["validation_loss"])
            self.assertEqual(float(row["adapted_loss"]), fakes.ADAPTATION * loss)
            self.assertEqual(row["adapted_before_token_perplexity"], str(math.exp(loss)))
        tags = {
            value.tag
            for path in self.workdir.tensorboard.iterdir()
            for event in event_file_loader.EventFileLoader(str(path)).Load()
            for value in event.summary.value
        }
        self.assertContainsSubset(
            {"validation/loss", "adapted/loss", "adapted_before/top1_accuracy", "training/loss"},
            tags,
        )
        adapted = float(rows[-1]["adapted_token_perplexity"])
        self.assertLen(said, 4 * 3)
        self.assertStartsWith(said[-3], "round 6: validation perplexity")
        keyboard = float(rows[-1]["adapted_keyboard_perplexity"])
        self.assertGreater(keyboard, adapted)
        perplexity = f"{keyboard:.2f} ({adapted:.2f} with end of sentence)"
        self.assertEqual(
            said[-2],
            f"round 6: adapted perplexity {perplexity}, "
            "first guess right 11.24% (20.00% with end of sentence)",
        )
        self.assertRegex(self.out.getvalue(), rf"test, adapted +{re.escape(perplexity)} a sub-word")
        summary = json.loads(self.workdir.summary.read_text())
        self.assertEqual(list(summary["evaluations"]), ["adapted", "adapted_before"])
        self.assertEqual(summary["evaluations"]["adapted"]["clients"], len(fakes.CLIENTS.test))
        self.assertEqual(
            summary["evaluations"]["adapted_before"]["token_perplexity"],
            summary["test"]["token_perplexity"],
        )
        last = summary["curve"][-1]
        self.assertEqual(last["adapted_token_perplexity"], adapted)
        self.assertIn("adapted_before_word_perplexity", last)

    def test_text_from_elsewhere_is_measured_by_its_name_to_the_end(self):
        self.assertEqual(self.train(fakes.config(task__unseen="somewhere")), 0)
        rows = [row for row in read_csv(self.workdir) if row["validation_loss"]]
        for row in rows:
            loss = float(row["validation_loss"])
            self.assertEqual(float(row["unseen_loss"]), fakes.UNSEEN * loss)
        summary = json.loads(self.workdir.summary.read_text())
        self.assertEqual(list(summary["evaluations"]), ["unseen"])
        unseen = summary["evaluations"]["unseen"]
        self.assertEqual(unseen["clients"], len(fakes.CLIENTS.unseen))
        self.assertEqual(unseen["loss"], fakes.UNSEEN * summary["test"]["loss"])
        shown = re.escape(figures.with_headline(unseen, "token_perplexity"))
        self.assertRegex(self.out.getvalue(), rf"\n  unseen +{shown} a sub-word")

    def test_a_run_with_two_evaluations_resumes_to_the_same_files(self):
        config = fakes.config(evaluation__names="validation, adapted")
        other = Workdir(pathlib.Path(self.create_tempdir().full_path))
        self.train(config, workdir=other)
        with self.assertRaises(Killed):
            self.train(config, runtime=fakes.FakeRuntime(kill_before(4)))
        self.assertEqual(self.train(config), 0)
        self.assertEqual(read_csv(self.workdir), read_csv(other))
        curves = [json.loads(each.summary.read_text())["curve"] for each in (self.workdir, other)]
        for point in (*curves[0], *curves[1]):
            del point["seconds_total"]
        self.assertEqual(*curves)
        with self.assertRaisesRegex(ConfigError, "evaluation.names is .* cannot become"):
            self.train(fakes.config(federated__rounds=8))

    def test_cohorts_differ_between_rounds_and_carry_the_round(self):
        runtime = fakes.FakeRuntime()
        self.train(runtime=runtime)
        self.assertLen(runtime.orders, 6)
        for number, specs in enumerate(runtime.orders, start=1):
            self.assertLen(set(specs), 3)
            for spec in specs:
                self.assertStartsWith(spec, f"0/{number}/train")
        cohorts = {tuple(spec.split("/")[2] for spec in specs) for specs in runtime.orders}
        self.assertGreater(len(cohorts), 1)

    @parameterized.parameters(1, 2, 3, 4, 6)
    def test_a_killed_run_resumes_to_the_same_files(self, number):
        other = Workdir(pathlib.Path(self.create_tempdir().full_path))
        self.train(workdir=other)
        with self.assertRaises(Killed):
            self.train(runtime=fakes.FakeRuntime(kill_before(number)))
        self.assertEqual(self.train(), 0)
        self.assertEqual(read_csv(self.workdir), read_csv(other))
        ours, theirs = self.final_state(self.workdir), self.final_state(other)
        self.assertEqual(ours.round, theirs.round)
        for name, array in theirs.arrays.items():
            self.assertEqual(ours.arrays[name].tobytes(), array.tobytes())

    @parameterized.parameters(1, 2)
    def test_frozen_weights_are_downloaded_once_by_each_client_also_after_a_resume(self, passes):
        frozen = 1000
        with self.assertRaises(Killed):
            self.train(runtime=fakes.FakeRuntime(kill_before(5 * passes), frozen), passes=passes)
        resumed = fakes.FakeRuntime(frozen_bytes=frozen)
        self.assertEqual(self.train(runtime=resumed, passes=passes), 0)
        other = Workdir(pathlib.Path(self.create_tempdir().full_path))
        whole = fakes.FakeRuntime(frozen_bytes=frozen)
        self.train(runtime=whole, workdir=other, passes=passes)
        self.assertEqual(read_csv(self.workdir), read_csv(other))
        met: set[str] = set()
        for row, specs in zip(read_csv(other)[1:], whole.orders[::passes], strict=True):
            cohort = {spec.split("/")[2] for spec in specs}
            expected = 3 * passes * fakes.DOWNLOAD_BYTES + len(cohort - met) * frozen
            self.assertEqual(float(row["download_bytes"]), expected)
            met |= cohort
        self.assertBetween(len(met), 4, 9)

    @parameterized.parameters((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129))
    def test_a_signal_ends_after_the_round_with_its_checkpoint(self, number, exit_code):
        runtime = fakes.FakeRuntime(signal_before(3, number))
        self.assertEqual(self.train(runtime=runtime), exit_code)
        self.assertEqual(self.final_state(self.workdir).round, 3)
        self.assertIn("run the same command again", self.err.getvalue())
        self.assertFalse(self.workdir.summary.exists())
        other = Workdir(pathlib.Path(self.create_tempdir().full_path))
        self.train(workdir=other)
        self.assertEqual(self.train(), 0)
        self.assertEqual(read_csv(self.workdir), read_csv(other))

    def test_a_second_signal_ends_at_once(self):
        runtime = fakes.FakeRuntime(signal_before(4, signal.SIGINT, signal.SIGINT))
        self.assertEqual(self.train(runtime=runtime), 130)
        self.assertLen(runtime.orders, 3)
        self.assertEqual(self.final_state(self.workdir).round, 2)

    def test_signal_handlers_are_put_back(self):
        before = signal.getsignal(signal.SIGINT)
        self.train()
        self.assertIs(signal.getsignal(signal.SIGINT), before)

    def test_a_finished_run_computes_nothing_and_shows_its_result(self):
        self.train()
        runtime = fakes.FakeRuntime()
        self.assertEqual(self.train(runtime=runtime), 0)
        self.assertIsNone(runtime.weights)
        self.assertIn("has finished already", self.out.getvalue())
        self.assertIn("--config.federated.rounds", self.out.getvalue())

    def test_more_rounds_go_on_from_the_last(self):
        other = Workdir(pathlib.Path(self.create_tempdir().full_path))
        self.train(fakes.config(federated__rounds=8), workdir=other)
        self.train()
        runtime = fakes.FakeRuntime()
        self.assertEqual(self.train(fakes.config(federated__rounds=8), runtime), 0)
        self.assertLen(runtime.orders, 2)
        self.assertEqual(read_csv(self.workdir), read_csv(other))
        self.assertEqual(json.loads(self.workdir.summary.read_text())["rounds"], 8)

    def test_another_configuration_is_refused_by_key(self):
        self.train()
        with self.assertRaisesRegex(ConfigError, r"federated\.batch_size is 16 .* cannot become 8"):
            self.train(fakes.config(federated__rounds=8, federated__batch_size=8))

    def test_another_vocabulary_is_refused(self):
        self.train()
        code = self.train(fakes.config(federated__rounds=8), vocabulary_hash="other")
        self.assertEqual(code, 1)
        self.assertIn("another vocabulary", self.err.getvalue())

    def test_other_text_is_refused(self):
        """Under a vocabulary of its own, too: nothing else tells that a file was replaced."""
        self.train()
        code = self.train(fakes.config(federated__rounds=8), data_hash="other")
        self.assertEqual(code, 1)
        *_, line = self.err.getvalue().splitlines()
        self.assertRegex(line, r"^error: .* other text .* \(data def, now other\); put the text")

    def test_a_run_of_an_earlier_version_goes_on(self):
        save = CheckpointStore.save

        def without_hash(store, number, arrays, meta):
            del meta["data_hash"]
            save(store, number, arrays, meta)

        with mock.patch.object(CheckpointStore, "save", without_hash):
            self.train()
        self.assertEqual(self.train(fakes.config(federated__rounds=8), data_hash="other"), 0)

    def test_first_it_says_what_the_data_are(self):
        self.train()
        lines = self.out.getvalue().splitlines()
        (first,) = [number for number, line in enumerate(lines) if line.startswith("data: 16 ")]
        bad_rows = f"the first mine.jsonl:7: not JSON; all of them: {self.workdir.bad_rows}"
        self.assertIn(bad_rows, "\n".join(lines[first : first + 6]))
        self.assertIn("warning: 2.00% of the sub-words are unknown", "\n".join(lines))
        summary = json.loads(self.workdir.summary.read_text())
        self.assertEqual(summary["data"], fakes.DATA)

    def test_a_second_run_in_the_same_folder_is_refused(self):
        self.workdir.create()
        with Lock(self.workdir):
            self.assertEqual(self.train(), 1)
        self.assertIn(f"process {os.getpid()} is at work", self.err.getvalue())
        self.assertEqual(self.train(), 0)

    def test_lost_rows_are_noticed(self):
        self.train()
        self.workdir.metrics.unlink()
        self.assertEqual(self.train(fakes.config(federated__rounds=8)), 1)
        self.assertIn("metrics.csv has 0 of the 7 rounds", self.err.getvalue())

    @parameterized.parameters((1, 3), (2, 0), (3, 1))
    def test_a_failed_runtime_leaves_the_last_state_it_held(self, passes, reached):
        class DyingRuntime(fakes.FakeRuntime):
            def next(self, specs):
                if self.step == 5:
                    held = {"weights": np.full(fakes.PARAMETERS, 7.0), "finalizer/step": 3}
                    raise RuntimeFailure("Workers died", 3, held)
                return super().next(specs)

        config = fakes.config(checkpoint__every=100)
        self.assertEqual(self.train(config, DyingRuntime(), passes=passes), 1)
        self.assertIn("Workers died; log: logs/worker.log", self.err.getvalue())
        self.assertIn(f"goes on from round {reached}", self.err.getvalue())
        store = CheckpointStore(self.workdir.checkpoints)
        # Three calls of `next` are no whole number of rounds of two passes.
        self.assertEqual(store.rounds(), [reached] if reached else [])
        if reached:
            self.assertEqual(store.load(reached).arrays["weights"][0], 7.0)

    def test_a_round_of_two_passes_calls_twice_on_one_cohort(self):
        runtime = fakes.FakeRuntime()
        self.assertEqual(self.train(runtime=runtime, passes=2), 0)
        self.assertLen(runtime.orders, 12)
        self.assertEqual(runtime.orders[0::2], runtime.orders[1::2])
        summary = json.loads(self.workdir.summary.read_text())
        self.assertEqual(
            summary["communication"]["upload_bytes_per_client"], 2 * fakes.UPLOAD_BYTES
        )

    def test_a_full_disk_ends_in_words_and_the_run_goes_on_later(self):
        other = Workdir(pathlib.Path(self.create_tempdir().full_path))
        self.train(workdir=other)

        limit = resource.getrlimit(resource.RLIMIT_FSIZE)

        def fill_disk(number):
            if number == 4:
                resource.setrlimit(resource.RLIMIT_FSIZE, (800, limit[1]))

        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            self.assertEqual(self.train(runtime=fakes.FakeRuntime(fill_disk)), 2)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
            signal.signal(signal.SIGXFSZ, handler)
        self.assertRegex(
            self.err.getvalue(), rf"\nerror: {self.workdir.root}/[^\n]*File too large; [^\n]*\n\Z"
        )
        self.assertEqual(self.final_state(self.workdir).round, 2)
        self.assertEqual(self.train(), 0)
        self.assertEqual(read_csv(self.workdir), read_csv(other))

    def test_a_run_without_a_whole_checkpoint_begins_again_and_says_so(self):
        other = Workdir(pathlib.Path(self.create_tempdir().full_path))
        self.train(workdir=other)
        with self.assertRaises(Killed):
            self.train(runtime=fakes.FakeRuntime(kill_before(6)))
        for path in self.workdir.checkpoints.iterdir():
            path.write_bytes(path.read_bytes()[:100])
        self.assertEqual(self.train(), 0)
        self.assertRegex(self.out.getvalue(), "round_000002.npz cannot.*; there is none before it")
        self.assertEqual(read_csv(self.workdir), read_csv(other))

    def test_evaluations_may_become_rarer_or_more_frequent_on_resuming(self):
        self.train()
        further = fakes.config(federated__rounds=9, evaluation__every=1)
        self.assertEqual(self.train(further), 0)
        evaluated = [row["round"] for row in read_csv(self.workdir) if row["validation_loss"]]
        self.assertEqual(evaluated, list("0246789"))

    def test_damaged_figures_are_an_error_in_words(self):
        with self.assertRaises(Killed):
            self.train(runtime=fakes.FakeRuntime(kill_before(4)))
        self.workdir.metrics.write_text("not,a,table\n1,2,3\n")
        self.assertEqual(self.train(), 2)
        self.assertRegex(self.err.getvalue(), r"metrics\.csv is damaged .*; restore it")

    def rejecting(self, clients, since):
        """A runtime whose aggregator rejects so many of a round's clients, from a round on."""

        class Rejecting(fakes.FakeRuntime):
            def next(self, orders):
                metrics = super().next(orders)
                rejected = clients if self.step >= since else 0
                metrics["aggregator"]["nonfinite_clients"] = np.int32(rejected)
                return metrics

        return Rejecting()

    def test_rejected_clients_are_counted_and_told_once(self):
        with mock.patch.object(
            progress.Progress, "round_done", autospec=True, side_effect=progress.Progress.round_done
        ) as done:
            self.assertEqual(self.train(runtime=self.rejecting(1, since=3)), 0)
        rows = read_csv(self.workdir)[1:]
        self.assertEqual([row["non_finite_clients"] for row in rows], list("001111"))
        self.assertEqual([c.kwargs["rejected"] for c in done.call_args_list], [0, 0, 1, 1, 1, 1])
        self.assertEqual(self.err.getvalue().count("rejected"), 1)
        self.assertIn("round 3: 1 of 3 clients rejected", self.err.getvalue())

    def test_a_run_that_rejects_everybody_ends_with_the_likely_cause(self):
        self.assertEqual(self.train(runtime=self.rejecting(3, since=2)), 1)
        self.assertEqual(read_csv(self.workdir)[-1]["round"], "4")
        self.assertRegex(self.err.getvalue(), "every client .* lower --config.algorithm.client_le")

    def test_no_rounds_measure_the_initial_model(self):
        self.assertEqual(self.train(fakes.config(federated__rounds=0)), 0)
        self.assertLen(read_csv(self.workdir), 1)

    def test_a_workdir_that_cannot_be_made_is_an_error_in_words(self):
        file = self.create_tempfile().full_path
        self.assertEqual(self.train(workdir=Workdir(pathlib.Path(file) / "run")), 2)
        self.assertIn("cannot be created", self.err.getvalue())


if __name__ == "__main__":
    absltest.main()
