import math

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from tff_lm import figures
from tff_lm.experiment import baseline

_STARTS_WORD = np.array([False, False, False, True, True, False, True])


class BaselineTest(absltest.TestCase):
    def test_by_hand_under_every_mask(self):
        # Smoothed: 1, 1, 6, 3, 4, 4, 1 of 20. Guesses: [EOS], then 4 and 5 in the order of ids.
        train = np.array([0, 0, 5, 2, 3, 3, 0])
        test = np.array([0, 0, 3, 1, 2, 1, 4])
        found = baseline.unigram(train, test, _STARTS_WORD)
        eos, unk = 3 * math.log(20 / 6), math.log(20 / 3)
        rest = 3 * math.log(20 / 4) + 4 * math.log(20)
        for name, expected in {
            "token_perplexity": math.exp((eos + unk + rest) / 11),
            "token_perplexity_without_eos": math.exp((unk + rest) / 8),
            "token_perplexity_without_unk": math.exp((eos + rest) / 10),
            "keyboard_perplexity": math.exp(rest / 7),
            # 1 + 2 + 4 words: [UNK], 4 and 6.
            "word_perplexity": math.exp((eos + unk + rest) / (7 + 3)),
            "word_perplexity_without_eos": math.exp((unk + rest) / 7),
            "top1_accuracy": 3 / 11,
            "keyboard_top1_accuracy": 0.0,
            "top3_accuracy": 6 / 11,
            "keyboard_top3_accuracy": 3 / 7,
        }.items():
            self.assertAlmostEqual(found[name], expected, places=10, msg=name)
        self.assertCountEqual(found, figures.QUALITY)

    def test_of_equal_counts_the_smaller_id_is_guessed(self):
        train = np.array([0, 0, 0, 0, 0, 7, 7])
        for piece, share in ((5, 1.0), (6, 0.0)):
            test = np.eye(7, dtype=np.int64)[piece]
            found = baseline.unigram(train, test, _STARTS_WORD)
            self.assertEqual(found["keyboard_top1_accuracy"], share)

    def test_an_unseen_piece_is_possible(self):
        train, test = np.array([0, 0, 0, 0, 9, 0, 0]), np.array([0, 0, 0, 0, 0, 1, 0])
        found = baseline.unigram(train, test, _STARTS_WORD)
        self.assertAlmostEqual(found["token_perplexity"], 16.0)

    def test_no_test_targets(self):
        found = baseline.unigram(np.ones(7), np.zeros(7), _STARTS_WORD)
        self.assertTrue(all(map(math.isnan, found.values())))

    def test_targets_are_counted_without_padding(self):
        def dataset_fn(spec):
            first = tf.where(spec == "0/0/a", 5, 6)
            y = tf.stack([tf.stack([first, 2, 0]), tf.stack([first, first, 2])])
            return tf.data.Dataset.from_tensors({"x": y, "y": y}).repeat(2)

        counts = baseline.count_targets(dataset_fn, ["0/0/a", "0/0/b"], 8)
        self.assertEqual(counts.tolist(), [0, 0, 8, 0, 0, 6, 6, 0])


if __name__ == "__main__":
    absltest.main()
