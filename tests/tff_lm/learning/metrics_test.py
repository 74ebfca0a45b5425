"""Figures of a cohort from its rows."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import math

import numpy as np
from absl.testing import absltest

from tff_lm.learning import metrics


def _row(**values):
    return [float(values.get(name, 0.0)) for name in metrics.METRIC_NAMES]


class SummariseTest(absltest.TestCase):
    def test_by_hand(self):
        rows = np.array(
            [
                _row(nats=20, tokens=10, words=5, top1=4, top3=6, examples=2, positions=20,
                     batches=1, update_square=4),
                _row(),
                _row(nats=10, tokens=10, words=10, top1=1, top3=2, examples=3, positions=20,
                     batches=2, update_square=16),
            ],
            np.float32,
        )  # fmt: skip
        figures = metrics.summarise(rows)
        expected = {
            "loss": 1.5,
            "token_perplexity": math.exp(1.5),
            "word_perplexity": math.exp(2.0),
            "bits_per_word": 2.0 / math.log(2.0),
            "top1_accuracy": 0.25,
            "top3_accuracy": 0.4,
            "padding_fraction": 0.5,
            "tokens": 20.0,
            "words": 15.0,
            "examples": 5.0,
            "clients": 2.0,
            "non_finite_clients": 0.0,
            "update_norm": 3.0,
            "token_perplexity_p10": math.exp(1.1),
            "token_perplexity_p50": math.exp(1.5),
            "token_perplexity_p90": math.exp(1.9),
        }
        self.assertCountEqual(figures, expected)
        for name, value in expected.items():
            self.assertAlmostEqual(figures[name], value, places=6, msg=name)

    def test_without_data_there_are_no_figures(self):
        for rows in (np.zeros([0, metrics.NUM_METRICS]), [_row(), _row()]):
            figures = metrics.summarise(np.asarray(rows))
            self.assertEqual(figures["clients"], 0)
            self.assertTrue(math.isnan(figures["token_perplexity"]))
            self.assertTrue(math.isnan(figures["token_perplexity_p50"]))

    def test_huge_loss_is_an_infinite_perplexity(self):
        figures = metrics.summarise(np.array([_row(nats=1e6, tokens=10, words=10, batches=1)]))
        self.assertEqual(figures["token_perplexity"], math.inf)

    def test_sums_do_not_lose_small_clients(self):
        rows = np.array([_row(tokens=2**24)] + [_row(tokens=1)] * 7, np.float32)
        self.assertEqual(metrics.totals(rows)["tokens"], 2**24 + 7)


if __name__ == "__main__":
    absltest.main()
