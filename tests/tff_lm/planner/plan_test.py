"""From a request to the text that a user reads."""

# bazel: data = //configs

import json
import pathlib
import shlex

from absl.testing import absltest, parameterized

from tff_lm import config as config_lib
from tests.tff_lm.config import command_lines
from tff_lm.config import ConfigError, python_file
from tff_lm.planner import cost, plan, speed, table
from tff_lm.planner.offers import Offer
from tff_lm.planner.request import Request


def offer(label="x", count=100, error=0.5, **overrides):
    return Offer(label, 0.4, count, count, error, overrides)


class FittingTest(absltest.TestCase):
    def test_best_first_and_what_is_larger_left_out(self):
        offers = [offer("a", 100, 0.5), offer("b", 90, 0.5), offer("c", 200, 0.1)]
        labels = [o.label for o in plan.fitting(offers, 150, "upload_mb")]
        self.assertEqual(labels, ["b", "a"])
        self.assertLen(plan.fitting(offers, 200, "upload_mb"), 3)

    def test_where_nothing_fits_the_smallest_is_named(self):
        offers = [offer("a", 2_340_001), offer("b", 9_000_000)]
        with self.assertRaisesRegex(ConfigError, r"--upload_mb: .*2\.34 MB \(a.*upload_mb=2\.35$"):
            plan.fitting(offers, 1e6, "upload_mb")


class RequestTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"model": "transformer_larg"}, "--model: .*did you mean transformer_large"),
        ({"policy": "full"}, "--policy: there is no 'full'"),
        ({"upload_bytes": 0.0}, "--upload_mb must be above 0"),
        ({"download_bytes": float("nan")}, "--download_mb must be above 0"),
        ({"fractions": ()}, "--fractions"),
        ({"fractions": (0.4, 1.2)}, "--fractions"),
        ({"include": "feed("}, r"--include=feed\( is no regular expression"),
        ({"vocabulary_size": 2}, "--vocabulary_size must be at least 16"),
    )
    def test_mistakes(self, changes, message):
        with self.assertRaisesRegex(ConfigError, message):
            Request(**{"model": "transformer_large", **changes})


class PlanTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.request = Request("transformer_large", upload_bytes=2e6, download_bytes=2e7)
        cls.plan = plan.plan(cls.request)
        cls.text = table.render(cls.plan, 5)

    def test_everything_found_fits_and_the_paper_s_combination_is_ten_times_less(self):
        self.assertNotEmpty(self.plan.uploads)
        self.assertLessEqual(max(o.worst_bytes for o in self.plan.uploads), 2e6)
        self.assertLessEqual(max(o.worst_bytes for o in self.plan.downloads), 2e7)
        whole = plan.plan(Request("transformer_large"))
        (combination,) = (
            o
            for o in whole.uploads
            if o.label == "uniform 8 bits" and o.overrides.get("partial.fraction") == 0.4
        )
        self.assertBetween(self.plan.model_bytes / combination.mean_bytes, 9.7, 10.3)

    def test_what_is_not_included_always_trains(self):
        some = Request("transformer_large", fractions=(0.5,), include="feed_forward")
        (plain,) = (o for o in plan.plan(some).uploads if o.label == "float32")
        # Two of twelve equal matrices, and all that is no feed-forward matrix.
        parameters, candidate = 20_963_328, 512 * 2048
        self.assertEqual(plain.worst_bytes, 4 * (parameters - 10 * candidate))
        self.assertEqual(plain.mean_bytes, plain.worst_bytes)
        self.assertEqual(plain.overrides["partial.include"], "feed_forward")
        with self.assertRaisesRegex(ConfigError, "--include=fed_forward matches no .*block_0/feed"):
            plan.plan(Request("transformer_large", include="fed_forward"))

    def test_the_command_sets_what_the_table_says(self):
        command = table.train_command(self.plan)
        self.assertIn(command, self.text)
        config, said, code = command_lines.parse(*shlex.split(command)[3:])
        self.assertIsNone(code, msg=said)
        config = dict(config_lib.flatten(config))
        self.assertEqual(config["model.name"], "transformer_large")
        # With the rates of the preset's own model it diverges.
        preset = python_file.load_preset("configs/chat.py:transformer_large").algorithm
        for key in ("client_learning_rate", "server_learning_rate"):
            self.assertEqual(config[f"algorithm.{key}"], preset[key])
        small = python_file.load_preset("configs/chat.py").algorithm
        self.assertLess(preset.server_learning_rate, small.server_learning_rate)
        for chosen in (self.plan.uploads[0], self.plan.downloads[0]):
            for key, value in chosen.overrides.items():
                self.assertEqual(config[key], value)
                self.assertIn(shlex.join([f"--config.{key}={value}"]), self.text)

    def test_hours_and_traffic_are_multiplied_out(self):
        run = cost.Run(rounds=3000, clients=200, tokens=3600, tokens_per_second=1000)
        self.assertEqual(run.hours, 600)
        text = cost.render(run, self.plan)
        self.assertIn("600 at 1,000 tokens/s (25.0 days", text)
        self.assertIn("50.3 TB in float32", text)


class SpeedTest(absltest.TestCase):
    def summary(self, **figures):
        return pathlib.Path(self.create_tempfile(content=json.dumps(figures)).full_path)

    def test_speed_of_a_summary(self):
        path = self.summary(model="lstm_large", tokens_per_second=1234.5)
        self.assertEqual(speed.measured(path, "lstm_large"), 1234.5)
        with self.assertRaisesRegex(ConfigError, "of lstm_large, not of lstm_small"):
            speed.measured(path, "lstm_small")
        with self.assertRaisesRegex(ConfigError, "has no tokens_per_second"):
            speed.measured(self.summary(model="lstm_large", tokens_per_second=None), "lstm_large")
        with self.assertRaisesRegex(ConfigError, "is no summary.json"):
            speed.measured(path / "nowhere", "lstm_large")


if __name__ == "__main__":
    absltest.main()
