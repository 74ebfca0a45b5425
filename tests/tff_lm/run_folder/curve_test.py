import math

from absl.testing import absltest

from tff_lm import figures
from tff_lm.run_folder.curve import curve


class CurveTest(absltest.TestCase):
    def test_evaluated_rounds_with_what_was_spent_up_to_them(self):
        sent = {"upload_bytes_total": 0.0, "download_bytes_total": 0.0}
        names = [f"validation_{name}" for name in figures.recorded(figures.CURVE)]
        self.assertIn("validation_keyboard_perplexity", names)
        reached = dict.fromkeys(names, 400.0)
        first = {"round": 0.0, **sent, **reached, "evaluation_seconds": 50.0}
        rows = [
            first,
            {"round": 1.0, "tokens": 10.0, "seconds": 2.0, "upload_bytes_total": 7.0},
            {"round": 2.0, "tokens": 5.0, "seconds": 1.0}
            | {"upload_bytes_total": 9.0, "download_bytes_total": 30.0}
            | dict.fromkeys(names, 300.0),
        ]
        self.assertEqual(
            curve(rows),
            [
                {"round": 0, **reached, **sent, "tokens_total": 0.0, "seconds_total": 0.0},
                {
                    "round": 2,
                    **dict.fromkeys(names, 300.0),
                    "upload_bytes_total": 9.0,
                    "download_bytes_total": 30.0,
                    "tokens_total": 15.0,
                    "seconds_total": 3.0,
                },
            ],
        )

    def test_other_measures_are_on_it_by_name(self):
        names = ("validation_token_perplexity", "validation_word_perplexity")
        row = dict.fromkeys((*names, "upload_bytes_total", "download_bytes_total"), 1.0)
        rows = [
            {"round": 0.0, **row, "adapted_token_perplexity": 3.0, "adapted_word_perplexity": 9.0},
            {"round": 1.0, **row},
        ]
        first, second = curve(rows, ["adapted"])
        self.assertEqual(first["adapted_token_perplexity"], 3.0)
        self.assertEqual(first["adapted_word_perplexity"], 9.0)
        # An empty cell: nobody of the sample had anything to measure.
        self.assertTrue(math.isnan(second["adapted_token_perplexity"]))

    def test_a_figure_that_does_not_exist_leaves_a_gap(self):
        # Text without words, and rounds of an earlier version.
        sent = {"upload_bytes_total": 0.0, "download_bytes_total": 0.0}
        (point,) = curve([{"round": 0.0, **sent, "validation_token_perplexity": 3.0}])
        self.assertEqual(point["validation_token_perplexity"], 3.0)
        for name in ("word", "keyboard"):
            self.assertTrue(math.isnan(point[f"validation_{name}_perplexity"]))


if __name__ == "__main__":
    absltest.main()
