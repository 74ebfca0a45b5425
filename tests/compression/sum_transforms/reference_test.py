"""The sum transforms against what they are known by."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from compression.sum_transforms.gaussian_noise import GaussianNoise

COUNT = 40_000


def noise(stddev, seed=(3, 4), weights=(5.0, 1.0)):
    sums = [tf.fill([COUNT], 7.0), tf.fill([COUNT], 7.0)]
    seed = tf.constant(seed)
    noisy, same, _, measured = GaussianNoise(stddev).apply(sums, tf.constant(weights), (), seed)
    np.testing.assert_array_equal(same, weights)
    return np.array(noisy) - 7.0, measured


class GaussianNoiseTest(absltest.TestCase):
    def test_is_normal_with_the_deviation_asked_for(self):
        added, measured = noise(2.0)
        self.assertLess(abs(added.mean()), 5 * 2.0 / np.sqrt(2 * COUNT))
        self.assertAlmostEqual(added.std() / 2.0, 1.0, delta=0.02)
        within = [np.mean(np.abs(added) < k * 2.0) for k in (1, 2, 3)]
        np.testing.assert_allclose(within, [0.6827, 0.9545, 0.9973], atol=0.01)
        np.testing.assert_allclose(measured["noise_norm"], np.linalg.norm(added), rtol=1e-4)

    def test_repeats_and_differs_between_variables_and_rounds(self):
        first, _ = noise(1.0)
        np.testing.assert_array_equal(first, noise(1.0)[0])
        later, _ = noise(1.0, (3, 5))
        for other in (later[0], first[1]):
            self.assertLess(abs(np.corrcoef(first[0], other)[0, 1]), 5 / np.sqrt(COUNT))

    def test_none_where_nobody_trained(self):
        added, measured = noise(1.0, weights=(0.0, 2.0))
        np.testing.assert_array_equal(added[0], 0.0)
        np.testing.assert_allclose(measured["noise_norm"], np.linalg.norm(added[1]), rtol=1e-4)


if __name__ == "__main__":
    absltest.main()
