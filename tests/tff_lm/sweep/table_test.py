import json
import pathlib

from absl.testing import absltest

from tests.tff_lm.sweep import fake_sweep
from tff_lm.sweep import Sweep
from tff_lm.sweep.plan import Planner
from tff_lm.sweep.table import table


def summary(validation, test, upload=1000.0):
    return {
        "rounds": 3,
        "validation": {"token_perplexity": validation, "keyboard_perplexity": validation},
        "test": {
            "token_perplexity": 7.0,
            "keyboard_perplexity": test,
            "top1_accuracy": 0.25,
            "keyboard_top1_accuracy": 0.125,
        },
        "communication": {"upload_bytes_per_client": upload, "download_bytes_per_client": 4e6},
        "training_seconds": 90.0,
    }


class TableTest(absltest.TestCase):
    def table(self, results, baseline=""):
        """`results`: experiment -> the summaries of its seeds, None for a run that is not done."""
        root = pathlib.Path(self.create_tempdir().full_path)
        sweep = Sweep(
            "t",
            "d",
            config=str(fake_sweep.ROOT / "configs" / "tiny.py"),
            base={"task.path": "/nowhere", "federated.rounds": 3},
            runs={key: {} for key in results},
            seeds_of={name: tuple(range(len(found))) for name, found in results.items()},
        )
        runs = Planner(sweep, root).runs()
        for run in runs:
            found = results[run.experiment][run.config.seed]
            if found is not None:
                run.workdir.create()
                run.workdir.summary.write_text(json.dumps(found))
        lines, self.legend = table(runs, baseline).split("\n\n")
        return [line.split() for line in lines.splitlines()]

    def test_the_best_on_validation_comes_first_with_mean_and_spread_over_seeds(self):
        _, first, second = self.table(
            {
                "worse": [summary(110.0, 100.0)],
                "better": [summary(90.0, 104.0, 1000.0), summary(94.0, 106.0, 3000.0)],
            },
            baseline="worse",
        )
        # 92 ± the root of ((2^2 + 2^2) / 1); the test perplexity is, for the
        # seed that both have, 4% above the baseline's 100.
        self.assertEqual(
            first,
            ["better", "2", "92.00", "±", "2.83", "105.00", "±", "1.41", "12.50%", "±", "0.00%"]
            + ["92.00", "±", "2.83", "7.00", "±", "0.00", "25.00%", "±", "0.00%", "+4.0%"]
            + ["2", "kB", "4", "MB", "1.5"],
        )
        self.assertIn("against worse", self.legend)
        self.assertEqual(second[:5], ["worse", "1", "110.00", "100.00", "12.50%"])
        self.assertEqual(second[8], "+0.0%")

    def test_what_diverged_comes_last_and_what_is_not_done_is_left_out(self):
        lines = self.table(
            {"gone": [None], "diverged": [summary(None, None)], "fine": [summary(5e3, 5e3)]}
        )
        self.assertEqual([line[0] for line in lines], ["experiment", "fine", "diverged"])
        self.assertEqual(lines[1][2], "5,000.00")
        self.assertEqual(lines[2][2:4], ["unknown", "unknown"])

    def test_runs_of_an_earlier_version_have_no_headline(self):
        old = summary(20.0, 14.0)
        for split in ("validation", "test"):
            old[split] = {
                name: value for name, value in old[split].items() if "keyboard" not in name
            }
        found = {"new": [summary(10.0, 8.0)], "old": [old]}
        _, first, second = self.table(found, baseline="new")
        self.assertEqual(first[2:8], ["10.00", "8.00", "12.50%", "10.00", "7.00", "25.00%"])
        # Compared by what both have: 7 and 7.
        self.assertEqual(second[2:9], ["-", "-", "-", "20.00", "7.00", "-", "+0.0%"])

    def test_nothing_done_is_a_table_without_lines(self):
        self.assertLen(self.table({"a": [None]}), 1)


if __name__ == "__main__":
    absltest.main()
