import json
import pathlib

from absl.testing import absltest, parameterized

from tests.tff_lm.report import samples
from tff_lm.config import ConfigError
from tff_lm.report import runs

_METRICS = """\
round,upload_bytes_total,download_bytes_total,tokens,seconds,\
validation_token_perplexity,validation_word_perplexity
0,0,0,,,500,900
1,10,20,7,1.5,,
2,20,40,7,2.25,250.5,800
"""


class RunsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def test_figures_by_dotted_key(self):
        run = runs.read_run(self.write("a.json", samples.summary("drive", 3, reduction=8.0)))
        self.assertEqual((run.experiment, run.seed), ("drive", 3))
        self.assertEqual(run.figure("communication.upload_reduction"), 8.0)
        self.assertIsNone(run.figure("communication.nothing"))
        self.assertIsNone(run.figure("model"))
        self.assertIsNone(run.figure("model.name"))

    def test_null_is_no_figure(self):
        summary = samples.summary("a", 0)
        summary["test"]["token_perplexity"] = None
        self.assertIsNone(
            runs.read_run(self.write("a.json", summary)).figure("test.token_perplexity")
        )

    def test_curve_of_the_summary(self):
        summary = samples.summary("a", 0, rounds=40)
        summary["curve"][0]["validation_token_perplexity"] = None  # infinite at the start
        run = runs.read_run(self.write("a.json", summary))
        self.assertEqual([point.round for point in run.curve], [20, 40])
        self.assertEqual(
            run.curve[-1].token_perplexity, summary["curve"][-1]["validation_token_perplexity"]
        )

    def test_curve_of_an_early_version_is_that_of_metrics_csv(self):
        summary = samples.summary("", 0)
        del summary["curve"], summary["experiment"], summary["command"]
        self.write("chat/metrics.csv", _METRICS)
        run = runs.read_run(self.write("chat/summary.json", summary))
        self.assertEqual(
            run.curve,
            (runs.Point(0, 500.0, 0.0, 0.0, 0.0), runs.Point(2, 250.5, 20.0, 40.0, 3.75)),
        )
        self.assertEqual(run.experiment, "chat")
        self.assertIsNone(run.command)

    @parameterized.parameters(
        ("lstm/summary.json", "lstm"),
        ("lstm/seed_1/summary.json", "lstm"),
        ("results/lstm-seed_1.json", "lstm"),
        ("results/lstm.json", "lstm"),
    )
    def test_the_name_of_a_run_without_one_is_that_of_its_place(self, place, name):
        summary = samples.summary("", 1)
        self.assertEqual(runs.read_run(self.write(place, summary)).experiment, name)

    @parameterized.parameters(
        ("{", "is not JSON"), ("[]", "has no model"), ('{"model": "a"}', "has no rounds")
    )
    def test_what_is_no_summary_is_named(self, content, message):
        path = self.write("bad.json", content)
        with self.assertRaisesRegex(ConfigError, f"{path}.*{message}"):
            runs.read_run(path)

    def test_a_file_that_cannot_be_read_is_named(self):
        with self.assertRaisesRegex(ConfigError, "gone.json cannot be read"):
            runs.read_run(self.folder / "gone.json")


if __name__ == "__main__":
    absltest.main()
