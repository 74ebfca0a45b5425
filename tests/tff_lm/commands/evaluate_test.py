import contextlib
import dataclasses
import io
import pathlib
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from tff_lm import figures
from tests.tff_lm.program import fakes
from tff_lm.commands import evaluate, train
from tff_lm.config import ConfigError
from tff_lm.run_folder.errors import RunError
from tff_lm.run_folder.workdir import Workdir


class MeasureTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.workdir = Workdir(pathlib.Path(self.create_tempdir().full_path))

    def run_quietly(self, function, *arguments, **options):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = function(*arguments, fakes.builder(fakes.FakeRuntime()), **options)
        return code, out.getvalue()

    def train(self, **changes):
        self.run_quietly(train.train, fakes.config(**changes), self.workdir)

    @parameterized.parameters(("latest", 6), ("best", 6), ("4", 4))
    def test_measures_the_checkpoint_asked_for(self, checkpoint, number):
        self.train()
        code, text = self.run_quietly(evaluate.measure, self.workdir, "test", checkpoint)
        self.assertEqual(code, 0)
        self.assertIn(f"after round {number}\n", text)
        self.assertIn("test: 3 clients, 30 sentences, 240 words, 300 sub-words", text)
        self.assertIn("of which 3 are unknown and 30 end a sentence\n", text)
        for label in ("10%", "50%", "90%", "bits per word"):
            self.assertIn(label, text)
        self.assertRegex(text, r"of the clients\nperplexity  +\d")
        for label, value in (
            ("first guess right", "11.24%"),
            ("first guess right, with end of sentence", "20.00%"),
        ):
            self.assertRegex(text, rf"\n{label}  +{value} +{value} +{value} +{value}\n")

    def test_text_without_words_has_no_figures_of_words(self):
        self.train()
        sums = dict.fromkeys(figures.SUMS, 1.0) | {"tokens": 5.0, "words": 0.0}
        found = fakes.summarise(np.ones([1, 1])) | figures.of(sums)
        with mock.patch.object(fakes, "summarise", return_value=found):
            code, text = self.run_quietly(evaluate.measure, self.workdir, "test", "latest")
        self.assertEqual(code, 0)
        self.assertIn("\nperplexity, with end of sentence ", text)
        self.assertNotIn("per word", text)
        self.assertNotIn("perplexity, word", text)

    @parameterized.parameters("adapted", "adapted(fraction=0.25)")
    def test_measures_the_evaluation_asked_for(self, wanted):
        self.train()
        code, text = self.run_quietly(
            evaluate.measure, self.workdir, "test", "latest", wanted=wanted
        )
        self.assertEqual(code, 0)
        self.assertIn("\nadapted: two halves\nadapted, test: 3 clients", text)
        self.assertIn("\nadapted_before, test: 3 clients", text)
        self.assertNotIn("\ntest: ", text)

    @parameterized.parameters(
        ("validation", None, "test: 3 clients"),
        ("validation", "unseen", "unseen: 2 clients"),
        ("unseen", None, "unseen: 2 clients"),
    )
    def test_a_split_is_the_evaluations_unless_said(self, wanted, split, shown):
        self.train(task__unseen="somewhere")
        code, text = self.run_quietly(
            evaluate.measure, self.workdir, split, "latest", wanted=wanted
        )
        self.assertEqual(code, 0)
        self.assertIn(f"\n{shown}", text)

    def test_a_split_without_clients_is_refused(self):
        self.train()
        clients = dataclasses.replace(fakes.CLIENTS, unseen=())
        with (
            mock.patch.object(fakes, "CLIENTS", clients),
            self.assertRaisesRegex(RunError, "no client of the split unseen"),
        ):
            self.run_quietly(evaluate.measure, self.workdir, "unseen", "latest")

    def test_another_evaluation_is_refused_with_the_nearest(self):
        self.train()
        with self.assertRaisesRegex(ConfigError, "--evaluation: .*did you mean 'adapted'"):
            self.run_quietly(evaluate.measure, self.workdir, "test", "latest", wanted="adaptd")

    @parameterized.parameters("3", "newest")
    def test_other_checkpoints_are_refused_with_those_there_are(self, checkpoint):
        self.train()
        with self.assertRaisesRegex(RunError, "there are 4, 6"):
            self.run_quietly(evaluate.measure, self.workdir, "test", checkpoint)

    def test_a_folder_without_a_run_is_refused(self):
        with self.assertRaisesRegex(ConfigError, "holds no run"):
            self.run_quietly(evaluate.measure, self.workdir, "test", "latest")


if __name__ == "__main__":
    absltest.main()
