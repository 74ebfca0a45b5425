"""The rules against NumPy, on clients that train different variables."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from compression import make_codec
from compression.registry import RULES
from compression.variables import code_variables

SHAPES = [(4, 3), (6,)]
VARIABLES = code_variables([(shape, np.float32) for shape in SHAPES], make_codec("identity"))


def cohort(count):
    rng = np.random.default_rng(count)
    updates = [[rng.normal(size=shape).astype("f") for shape in SHAPES] for _ in range(count)]
    weights = rng.integers(0, 3, [count, 2]).astype("f")
    weights[0] = 1.0
    return updates, weights


def combined(name, updates, weights):
    rule = RULES[name]()
    total = rule.zero(VARIABLES)
    for update, weight in zip(updates, weights, strict=True):
        values = [lambda value=value: tf.constant(value) for value in update]
        total = rule.accumulate(total, values, tf.constant(weight))
    return rule.sums_and_weights(total)


class RulesTest(parameterized.TestCase):
    @parameterized.product(name=["mean", "sum", "median"], count=[1, 4, 7])
    def test_equals_numpy(self, name, count):
        updates, weights = cohort(count)
        sums, totals = combined(name, updates, weights)
        for i in range(2):
            rows = np.array([update[i] for update in updates])
            weighted = np.tensordot(weights[:, i], rows, 1)
            expected, total = {
                "mean": (weighted, weights[:, i].sum()),
                "sum": (weighted, 1.0),
                "median": (np.median(rows[weights[:, i] > 0], axis=0), 1.0),
            }[name]
            np.testing.assert_allclose(sums[i], expected, rtol=1e-5, atol=1e-6)
            self.assertEqual(totals[i], total)

    def test_a_minority_does_not_carry_the_median_away(self):
        updates, weights = cohort(5)
        weights[:] = 1.0
        honest = np.array([update[0] for update in updates])
        for update in updates[:2]:
            update[0][:] = 1e6
        sums, _ = combined("median", updates, weights)
        self.assertTrue(np.all(sums[0] <= honest.max(axis=0)))
        self.assertGreater(np.min(combined("mean", updates, weights)[0][0]), 1e5)


if __name__ == "__main__":
    absltest.main()
