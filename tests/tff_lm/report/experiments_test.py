import math
import pathlib

from absl.testing import absltest

from tests.tff_lm.report import samples
from tff_lm.config import ConfigError
from tff_lm.report import experiments
from tff_lm.report.runs import Point, Run

_PERPLEXITY = "test.token_perplexity"


def run(name, seed, perplexity, curve=(), **changes):
    summary = samples.summary(name, seed, **changes)
    summary["test"]["token_perplexity"] = perplexity
    return Run(name, pathlib.Path(f"{name}-{seed}.json"), summary, tuple(curve))


class ExperimentsTest(absltest.TestCase):
    def test_mean_and_sample_deviation(self):
        (found,) = experiments.by_name([run("a", seed, 100.0 + seed) for seed in (2, 0, 1)])
        self.assertEqual([each.seed for each in found.runs], [0, 1, 2])
        self.assertEqual(found.spread(_PERPLEXITY), experiments.Spread(101.0, 1.0))

    def test_a_single_seed_has_no_deviation(self):
        (found,) = experiments.by_name([run("a", 0, 100.0)])
        self.assertEqual(found.spread(_PERPLEXITY), experiments.Spread(100.0, None))

    def test_no_mean_over_a_part_of_the_seeds(self):
        (found,) = experiments.by_name([run("a", 0, 100.0), run("a", 1, None)])
        self.assertIsNone(found.spread(_PERPLEXITY))
        self.assertIsNone(found.mean("test.nothing"))

    def test_relative_difference_pairs_seeds(self):
        base, other = experiments.by_name(
            [
                *(run("base", seed, 100.0 * (seed + 1)) for seed in range(3)),
                # Seed 0 exactly 10% more, seed 1 20% more; the baseline has no seed 7.
                *(run("other", seed, value) for seed, value in ((0, 110.0), (1, 240.0), (7, 1.0))),
            ]
        )
        found = other.relative(_PERPLEXITY, base)
        self.assertAlmostEqual(found.mean, 0.15)
        self.assertAlmostEqual(found.deviation, 0.1 / math.sqrt(2))

    def test_no_relative_difference_without_common_seeds(self):
        base, other = experiments.by_name([run("base", 0, 100.0), run("other", 1, 100.0)])
        self.assertIsNone(other.relative(_PERPLEXITY, base))

    def test_order_of_the_sweep_and_then_by_name(self):
        found = experiments.by_name(
            [run(name, 0, 1.0) for name in "abcd"], order=("c", "missing", "a")
        )
        self.assertEqual([each.name for each in found], ["c", "a", "b", "d"])
        self.assertIs(experiments.find(found, "b"), found[2])
        self.assertIsNone(experiments.find(found, ""))

    def test_refuses_to_average_different_configurations(self):
        with self.assertRaisesRegex(ConfigError, r"'a' mixes runs with rounds 300 .* and 200"):
            experiments.by_name([run("a", 0, 1.0), run("a", 1, 1.0, rounds=200)])

    def test_mean_curve_over_common_rounds(self):
        (found,) = experiments.by_name(
            [
                run("a", 0, 1.0, [Point(0, 9.0, 0, 0, 0), Point(2, 4.0, 10, 20, 1)]),
                run("a", 1, 1.0, [Point(2, 6.0, 30, 20, 2), Point(3, 1.0, 0, 0, 0)]),
            ]
        )
        self.assertEqual(found.mean_curve(), [Point(2, 5.0, 20, 20, 1.5)])


if __name__ == "__main__":
    absltest.main()
