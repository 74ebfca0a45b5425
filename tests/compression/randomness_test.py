import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from compression import randomness


class RandomnessTest(parameterized.TestCase):
    @parameterized.parameters((tf.uint8, 256), (tf.uint16, 65536))
    def test_integers_are_uniform_and_follow_from_the_seed(self, dtype, limit):
        seed = tf.constant([3, 4])
        values = randomness.random_integers(seed, 100_001, dtype).numpy().astype(np.float64)
        self.assertLen(values, 100_001)
        # Mean and variance of a uniform integer within 5 standard errors.
        self.assertLess(abs(values.mean() - (limit - 1) / 2), 5 * limit / np.sqrt(12 * 1e5))
        self.assertAlmostEqual(values.var() / (limit**2 / 12), 1.0, delta=0.02)
        np.testing.assert_array_equal(values, randomness.random_integers(seed, 100_001, dtype))
        other = randomness.random_integers(randomness.fold_in(seed, 1), 100_001, dtype)
        self.assertLess(abs(np.corrcoef(values, other)[0, 1]), 5 / np.sqrt(1e5))

    def test_one_element_of_dither_is_finer_than_its_bits(self):
        # Over seeds a single element takes more than 256 values: stochastic rounding is unbiased
        # although it draws eight bits.
        @tf.function
        def one(seed):
            noise = randomness.dither(seed, 4, guard=0.01)
            return noise.offset + noise.unit * noise.integers[2]

        values = np.array([one(tf.constant([i, 0])) for i in range(2000)])
        self.assertGreater(len(np.unique(values)), 1900)
        self.assertGreaterEqual(values.min(), 0.01)
        self.assertLessEqual(values.max(), 0.99)
        # Kolmogorov-Smirnov distance to the uniform distribution on [0.01, 0.99].
        ranks = (np.arange(2000) + 0.5) / 2000
        self.assertLess(np.max(np.abs(np.sort(values) - (0.01 + 0.98 * ranks))), 0.04)

    def test_signs(self):
        signs = randomness.random_signs(tf.constant([1, 1]), 10_000).numpy()
        self.assertEqual(set(signs), {-1.0, 1.0})
        self.assertLess(abs(signs.sum()), 500)


if __name__ == "__main__":
    absltest.main()
