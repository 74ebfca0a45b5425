import pathlib

from absl.testing import absltest, parameterized

from tests.tff_lm.report import samples
from tff_lm.config import ConfigError
from tff_lm.report import claims, experiments
from tff_lm.report.runs import Run
from tff_lm.sweep import Claim, Sweep

LOWER = Claim("small", "large", perplexity_at_most=0.89, upload_less_by=10)


def run(name, seed, perplexity, reduction=1.0):
    summary = samples.summary(name, seed, reduction=reduction)
    summary["test"].update(keyboard_perplexity=perplexity, token_perplexity=7.0)
    return Run(name, pathlib.Path(f"{name}-{seed}.json"), summary, ())


def row(claim, runs):
    """The texts of the claim's row."""
    table = claims.table([claim], experiments.by_name(runs))
    (only,) = table.rows
    return [cell.text for cell in only]


class ClaimsTest(parameterized.TestCase):
    def test_what_is_claimed_and_what_was_measured(self):
        # Seed 0: 80 / 100, seed 1: 100 / 120; the last run has no partner.
        runs = [
            *(run("large", 0, 100.0), run("large", 1, 120.0)),
            *(run("small", 0, 80.0, 12.0), run("small", 1, 100.0, 12.0), run("small", 7, 1.0)),
        ]
        self.assertEqual(
            row(LOWER, runs),
            ["small: 11% lower perplexity than large, at 10x less upload"]
            + ["0.817x", "12.0x", "2", "yes"],
        )
        as_good = Claim("small", "large")
        self.assertEqual(row(as_good, runs)[0], "small: no higher perplexity than large")
        self.assertEqual(row(as_good, runs)[-1], "yes")

    @parameterized.named_parameters(
        ("one_good", [(80.0, 12.0)], "with one seed"),
        ("one_bad", [(90.0, 12.0)], "not with one seed"),
        ("at_the_limit", [(89.0, 10.0), (89.0, 10.0)], "yes"),
        ("both_too_high", [(90.0, 12.0), (91.0, 12.0)], "no"),
        ("both_upload_too_much", [(80.0, 9.9), (80.0, 9.9)], "no"),
        ("mixed", [(80.0, 12.0), (90.0, 12.0)], "with 1 of 2 seeds"),
        ("diverged", [(80.0, 12.0), (None, 12.0)], "with 1 of 2 seeds"),
    )
    def test_verdict(self, seeds, expected):
        runs = [run("small", seed, *figures) for seed, figures in enumerate(seeds)]
        runs += [run("large", seed, 100.0) for seed in range(2)]
        self.assertEqual(row(LOWER, runs)[-1], expected)

    def test_runs_of_an_earlier_version_are_compared_with_end_of_sentence(self):
        for earlier in (("small",), ("small", "large")):
            runs = []
            for name, perplexity in (("small", 80.0), ("large", 100.0)):
                summary = samples.summary(name, 0, perplexity=perplexity)
                if name in earlier:
                    summary = samples.of_earlier_version(summary)
                summary["test"]["token_perplexity"] = perplexity / 2
                runs.append(Run(name, pathlib.Path(name), summary, ()))
            self.assertEqual(row(LOWER, runs)[1], "0.800x")

    def test_a_claim_that_no_seed_speaks_to_is_left_out(self):
        found = experiments.by_name([run("small", 0, 80.0), run("large", 1, 100.0)])
        self.assertEmpty(claims.table([LOWER], found).rows)

    def test_a_claim_about_an_unknown_run(self):
        with self.assertRaisesRegex(ConfigError, "no run called 'smal'.*did you mean small"):
            Sweep("t", "d", runs={"small": {}, "large": {}}, claims=(Claim("smal", "large"),))


if __name__ == "__main__":
    absltest.main()
