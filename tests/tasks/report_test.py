"""What is said of prepared data: every count by hand."""

import json
import os

import numpy as np
from absl.testing import absltest

from tasks import report
from tasks.options import TaskOptions
from tasks.task import make_task
from tasks.vocabulary import SPECIAL_PIECES, Vocabulary
from tests.tasks import fixtures

_TRAIN, _VALIDATION, _TEST = fixtures.users_of_every_split(1)


class ReportTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.cache_dir = self.create_tempdir().full_path

    def task(self, texts, *, extra="", max_length=8, **options):
        """Of each user's texts."""
        rows = [
            json.dumps({"user": user, "text": text}, ensure_ascii=False)
            for user, said in texts.items()
            for text in said
        ]
        path = self.create_tempfile("m.jsonl", content="\n".join(rows) + "\n" + extra).full_path
        task = TaskOptions("text", path, cache_dir=self.cache_dir, **options)
        return make_task(task, max_length=max_length, progress=False)

    def spelled(self, extra=""):
        """Single characters are all the pieces, so that they can be counted by hand."""
        vocabulary = os.path.join(self.cache_dir, "given.txt")
        Vocabulary([*SPECIAL_PIECES, "a", "b", "##a", "##b", "##."]).save(vocabulary)
        texts = {_TRAIN: ["a b", "ab. ba. ab ab"], _VALIDATION: ["a é"], _TEST: ["b b"]}
        return self.task(texts, extra=extra, vocabulary=vocabulary)

    def test_figures(self):
        data = report.figures(self.spelled('{"user": "x"}\nnope\n{"user": "y", "text": 1}\n'))
        self.assertEqual(data["people"], {"train": 1, "validation": 1, "test": 1})
        self.assertEqual(data["sentences"], {"train": 2, "validation": 1, "test": 1})
        # Ten pieces and the end, in windows of at most eight: "ab. ba." and "ab ab".
        self.assertEqual(data["rows"], {"train": 3, "validation": 1, "test": 1})
        self.assertEqual(data["words"], {"train": 6, "validation": 2, "test": 2})
        self.assertEqual(data["sub_words"], {"train": 14, "validation": 3, "test": 3})
        self.assertEqual(data["long_sentences"], 1)
        self.assertEqual(data["unknown_share"], 1 / 16)
        self.assertEqual(data["cut_share"], 0.0)
        self.assertEqual(data["left_out"], {"no 'text'": 1, "not JSON": 1, "'text' is not text": 1})
        self.assertEqual(data["unreadable_rows"], 3)
        self.assertEqual(data["first_unreadable"], "m.jsonl:5: no 'text'")
        self.assertLen(data["hash"], 64)

    def test_first_lines(self):
        data = report.figures(self.spelled("nope\n"))
        lines = report.first_lines(data, "runs/bad_rows.txt")
        self.assertStartsWith(
            lines[0],
            "data: 3 people (1 train, 1 validation, 1 test), 4 sentences, 10 words, 20 sub-words",
        )
        self.assertEqual(
            lines[1:],
            [
                "  1 sentences are longer than federated.max_length=8 sub-words: each is cut into "
                "several, nothing is left out",
                "  left out: 1 of 5 sentences (not JSON 1)",
                "  unreadable rows: 1, the first m.jsonl:5: not JSON (Expecting value: line 1 "
                "column 1 (char 0)); all of them: runs/bad_rows.txt",
                "  warning: 6.25% of the sub-words are unknown characters; raise "
                "task.vocabulary_size, or leave task.vocabulary out",
            ],
        )

    def test_of_plain_data_one_line_is_enough(self):
        texts = {user: ["a b"] for user in (_TRAIN, _VALIDATION, _TEST)}
        data = report.figures(self.task(texts, vocabulary_size=16))
        self.assertLen(report.first_lines(data, ""), 1)

    def test_describe(self):
        task = self.spelled("nope\n")
        text = report.describe(task)
        self.assertRegex(text, r"split +people +sentences +words +sub-words +unknown")
        self.assertRegex(text, r"validation +1 +1 +2 +3 +50.0000%")
        self.assertIn("unknown: 6.2500% of the sub-words; cut off: 0.0000%", text)
        self.assertIn(
            f"  a text in several rows of {_TRAIN}: ab. ba. ab ab\n"
            "    [BOS] a ##b ##. b ##a ##.\n"
            "    [BOS] a ##b a ##b [EOS]\n",
            text,
        )
        self.assertIn(f"{task.folder}/bad_rows.txt", text)

    def test_text_without_spaces(self):
        texts = {_TRAIN: ["今天天气好。", "天气"], _VALIDATION: ["今天"], _TEST: ["天天好", "x"]}
        task = self.task(texts, vocabulary_size=20)
        data = report.figures(task)
        self.assertIsNone(data["words"])
        self.assertFalse(task.words_separated)
        np.testing.assert_array_equal(task.starts_word, [False] * 20)
        self.assertEqual(data["sub_words"], {"train": 10, "validation": 3, "test": 6})
        self.assertIn("words are not separated", "\n".join(report.first_lines(data, "")))
        self.assertRegex(report.describe(task), r"train +1 +2 +- +10")


if __name__ == "__main__":
    absltest.main()
