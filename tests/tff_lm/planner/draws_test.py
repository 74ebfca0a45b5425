"""Expectations and extremes over draws, against the draws themselves."""

from tests.tff_lm.learning import fixtures  # isort: skip

import itertools

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tff_lm.learning import partial
from tff_lm.learning.weights import Partition
from tff_lm.planner import draws

SHAPES = ((20, 10), (10, 20), (10, 20), (5, 10), (50,), (30, 10), (10, 5))
PARTITION = Partition(tuple(f"v{i}" for i in range(len(SHAPES))), SHAPES, tuple(range(len(SHAPES))))
# Equal sizes come with different amounts, as when a codec's side information depends on the shape.
AMOUNTS = np.array([200, 230, 210, 60, 1000, 310, 50])


class DrawsTest(parameterized.TestCase):
    @parameterized.parameters(0.05, 0.1, 0.3, 0.4, 0.5, 0.77, 0.9, 1.0)
    def test_random_orders_against_all_of_them(self, fraction):
        options = partial.PartialOptions("per_round", fraction, min_size=50)
        candidates = partial.find_candidates(PARTITION, options)
        select = tf.function(lambda order: partial.select(candidates, order))
        orders = itertools.permutations(range(len(candidates.indices)))
        masks = np.stack([select(tf.constant(order)).numpy() for order in orders])
        ours = draws.random_order(candidates)
        for amounts in (AMOUNTS, np.array([np.prod(shape) for shape in SHAPES])):
            self.assertAlmostEqual(ours.mean(amounts), np.mean(masks @ amounts), places=6)
            self.assertEqual(ours.worst(amounts), np.max(masks @ amounts))

    @parameterized.parameters("full", "fixed", "rolling")
    def test_the_few_sets_of_other_policies(self, policy):
        fraction = 1.0 if policy == "full" else 0.6
        options = partial.PartialOptions(policy, fraction, min_size=20)
        model = partial.build_client_model(fixtures.TinyModel, fixtures.STARTS_WORD, options)
        masks = np.stack([partial.trained_mask(model, number, (5, 6)) for number in range(30)])
        ours = draws.draws(fixtures.TinyModel, options)
        amounts = np.array([7, 5, 3, 1])
        self.assertAlmostEqual(ours.mean(amounts), np.mean(masks @ amounts))
        self.assertEqual(ours.worst(amounts), np.max(masks @ amounts))

    @parameterized.parameters("per_round", "per_client_per_round")
    def test_random_policies_are_random_orders(self, policy):
        options = partial.PartialOptions(policy, 0.5, min_size=20)
        self.assertIsInstance(draws.draws(fixtures.TinyModel, options), draws.RandomOrder)


if __name__ == "__main__":
    absltest.main()
