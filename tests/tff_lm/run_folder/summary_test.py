import json
import math
import pathlib
import re
import shlex

from absl.testing import absltest

from tff_lm import figures
from tests.tff_lm.program import fakes
from tff_lm.run_folder import summary
from tff_lm.run_folder.workdir import Workdir


def row(number, **figures):
    return {"round": number, **figures}


class SummaryTest(absltest.TestCase):
    def build(self, rows, **changes):
        found = dict.fromkeys(figures.SPLIT, 2.0) | changes
        return summary.build(
            config=fakes.config(),
            command="python -m bin.train",
            rows=rows,
            facts={"parameters": 10},
            test=found,
            validation=found,
            evaluations={},
            unigram=dict.fromkeys(figures.QUALITY, math.nan),
            communication={"upload_bytes": 60, "upload_bytes_per_client": 20.0}
            | {"download_bytes": 0, "download_bytes_per_client": 0.0},
            closing_seconds=5.0,
            peak_memory_bytes=1,
        )

    def test_sums_over_rounds(self):
        found = self.build(
            [
                row(0, evaluation_seconds=1.0),
                row(1, tokens=60.0, clients=2.0, padding_fraction=0.4, seconds=2.0),
                row(2, tokens=100.0, clients=1.0, padding_fraction=0.0, seconds=2.0),
            ]
        )
        self.assertEqual(found["rounds"], 2)
        self.assertEqual(found["tokens_per_second"], 40.0)
        self.assertEqual(found["seconds"], 10.0)
        # 100 and 100 positions, of which 160 hold tokens.
        self.assertAlmostEqual(found["padding_fraction"], 0.2)
        self.assertEqual(found["communication"]["upload_bytes_per_client"], 20.0)
        self.assertEqual(found["command"], "python -m bin.train")
        self.assertEqual(found["experiment"], "")
        self.assertEmpty(found["curve"])

    def test_what_does_not_exist_is_null_in_the_file_and_unknown_on_the_screen(self):
        workdir = Workdir(pathlib.Path(self.create_tempdir().full_path))
        self.assertIsNone(summary.read(workdir))
        evaluated = dict.fromkeys(
            ("validation_token_perplexity", "validation_word_perplexity")
            + ("upload_bytes_total", "download_bytes_total"),
            math.inf,
        )
        summary.write(workdir, self.build([row(0, **evaluated)]))
        self.assertNotIn("NaN", workdir.summary.read_text())
        found = summary.read(workdir)
        self.assertIsNone(found["tokens_per_second"])
        self.assertIsNone(found["curve"][0]["validation_token_perplexity"])
        self.assertIsNone(found["baseline"]["unigram_perplexity"])
        for given in (found, self.build([row(0, **evaluated)])):
            shown = summary.table(given, workdir)
            self.assertIn("unknown", shown)
            self.assertNotIn("tokens/s", shown)
        json.loads(workdir.summary.read_text())

    def test_the_screen_has_the_headline_and_beside_it_what_has_the_end_of_sentence(self):
        workdir = Workdir(pathlib.Path(self.create_tempdir().full_path))
        measured = {
            "keyboard_perplexity": 178.0,
            "token_perplexity": 131.0,
            "word_perplexity_without_eos": 518.0,
            "word_perplexity": 327.0,
            "keyboard_top1_accuracy": 0.128,
            "top1_accuracy": 0.18,
        }
        words = ", 518.00 (327.00 with end of sentence) a word"
        token = "178.00 (131.00 with end of sentence) a sub-word"
        guesses = "12.80% (18.00% with end of sentence)"
        shown = summary.table(self.build([row(0)], **measured), workdir)
        self.assertRegex(shown, rf"test perplexity +{re.escape(token + words)}\n")
        self.assertRegex(shown, rf"first guess right +{re.escape(guesses)}\n")
        # Text that is not made of words.
        measured |= {"word_perplexity": math.nan, "word_perplexity_without_eos": math.nan}
        summary.write(workdir, self.build([row(0)], **measured))
        for given in (self.build([row(0)], **measured), summary.read(workdir)):
            shown = summary.table(given, workdir)
            self.assertRegex(shown, rf"test perplexity +{re.escape(token)}\n")
        self.assertIsNone(summary.read(workdir)["test"]["word_perplexity"])

    def test_a_summary_of_an_earlier_version_is_shown(self):
        workdir = Workdir(pathlib.Path(self.create_tempdir().full_path))
        old = self.build([row(0)])
        kept = ("token_perplexity", "word_perplexity", "top1_accuracy")
        old["test"] = {name: old["test"][name] for name in kept}
        old["baseline"] = {"unigram_perplexity": 3.0}
        shown = summary.table(old, workdir)
        self.assertRegex(shown, r"test perplexity +2\.00 with end of sentence a sub-word\n")
        self.assertNotIn("first guess right", shown)
        self.assertRegex(shown, r"unigram baseline +3\.00 with end of sentence a sub-word\n")

    def test_the_next_commands_can_be_pasted(self):
        workdir = Workdir(pathlib.Path(self.create_tempdir().full_path) / "a run")
        lines = summary.table(self.build([row(0, upload_bytes_total=0.0)]), workdir).splitlines()
        commands = [shlex.split(line) for line in lines if " -m bin." in line]
        self.assertLen(commands, 2)
        for python, _, _, folder, *_ in commands:
            self.assertEqual(folder, f"--workdir={workdir.root}")
            self.assertTrue(pathlib.Path(python).exists(), python)


if __name__ == "__main__":
    absltest.main()
