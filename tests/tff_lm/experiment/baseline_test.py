import math

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from tff_lm.experiment import baseline


class BaselineTest(absltest.TestCase):
    def test_by_hand(self):
        # Smoothed: (0+1, 1+1, 3+1) / 7; test targets: one of piece 1, two of piece 2.
        expected = math.exp(-(math.log(2 / 7) + 2 * math.log(4 / 7)) / 3)
        found = baseline.unigram_perplexity(np.array([0, 1, 3]), np.array([0, 1, 2]))
        self.assertAlmostEqual(found, expected, places=12)

    def test_an_unseen_piece_is_possible(self):
        found = baseline.unigram_perplexity(np.array([0, 9, 0]), np.array([0, 0, 1]))
        self.assertAlmostEqual(found, 12.0)

    def test_no_test_targets(self):
        self.assertTrue(math.isnan(baseline.unigram_perplexity(np.ones(3), np.zeros(3))))

    def test_targets_are_counted_without_padding(self):
        def dataset_fn(spec):
            first = tf.where(spec == "0/0/a", 5, 6)
            y = tf.stack([tf.stack([first, 2, 0]), tf.stack([first, first, 2])])
            return tf.data.Dataset.from_tensors({"x": y, "y": y}).repeat(2)

        counts = baseline.count_targets(dataset_fn, ["0/0/a", "0/0/b"], 8)
        self.assertEqual(counts.tolist(), [0, 0, 8, 0, 0, 6, 6, 0])


if __name__ == "__main__":
    absltest.main()
