import numpy as np
import scipy.linalg
import tensorflow as tf
from absl.testing import absltest, parameterized

from compression import randomness
from compression.hadamard import Rotation

SEED = tf.constant([5, 6])


class RotationTest(parameterized.TestCase):
    @parameterized.parameters(1, 2, 13, 1000, 2048, 4096, 8192, 12345)
    def test_inverse_and_norm(self, count):
        x = np.random.default_rng(0).normal(size=count).astype(np.float32)
        rotation = Rotation(count)
        rotated = rotation.forward(tf.constant(x), SEED)
        self.assertEqual(rotated.shape, [rotation.blocks, rotation.block])
        np.testing.assert_allclose(np.linalg.norm(rotated), np.linalg.norm(x), rtol=1e-5)
        np.testing.assert_allclose(rotation.inverse(rotated, SEED), x, atol=1e-5)

    @parameterized.parameters(64, 1024, 8192)
    def test_against_a_dense_hadamard_matrix(self, count):
        x = np.random.default_rng(0).normal(size=count).astype(np.float32)
        rotation = Rotation(count)
        d = rotation.block
        signs = randomness.random_signs(SEED, d).numpy()
        matrix = scipy.linalg.hadamard(d) / np.sqrt(d)
        expected = (x.reshape(rotation.blocks, d) * signs) @ matrix
        np.testing.assert_allclose(rotation.forward(tf.constant(x), SEED), expected, atol=1e-5)

    def test_padding_is_at_most_an_eighth_and_blocks_at_most_4096(self):
        for count in [*range(1, 3000), 4000 * 512, 512 * 2048 + 1, 10**6]:
            rotation = Rotation(count)
            padding = rotation.block * rotation.blocks - count
            self.assertBetween(padding, 0, count / 8)
            self.assertLessEqual(rotation.block, 4096)
        self.assertEqual(Rotation(4000 * 512).block, 4096)  # the embedding needs no padding

    def test_large_values_are_spread(self):
        x = np.zeros([4096 * 4], np.float32)
        x[[5, 77, 9000]] = 10.0, -20.0, 15.0
        rotated = Rotation(x.size).forward(tf.constant(x), SEED)
        self.assertLess(np.max(np.abs(rotated)), 1.0)

    def test_blocks_are_of_neighbours(self):
        x = np.zeros([4096 * 4], np.float32)
        x[4096:8192] = 1.0
        norms = np.linalg.norm(Rotation(x.size).forward(tf.constant(x), SEED), axis=1)
        np.testing.assert_allclose(norms, [0, 64, 0, 0], rtol=1e-5)

    def test_structure_is_spread_too(self):
        # A delta of rank one, as one token makes it: its rotation must still look Gaussian, which
        # signs that are themselves a product would not achieve.
        rng = np.random.default_rng(0)
        x = np.outer(rng.normal(size=512), rng.normal(size=512)).astype(np.float32)
        rotated = Rotation(x.size).forward(tf.constant(x.reshape(-1)), SEED).numpy()
        ratio = np.mean(np.abs(rotated), 1) ** 2 / np.mean(rotated**2, 1)
        np.testing.assert_allclose(ratio, 2 / np.pi, atol=0.06)  # E|z|^2 / E[z^2] of a normal

    def test_empty(self):
        rotation = Rotation(0)
        rotated = rotation.forward(tf.zeros([0]), SEED)
        self.assertEqual(rotation.inverse(rotated, SEED).shape, [0])


if __name__ == "__main__":
    absltest.main()
