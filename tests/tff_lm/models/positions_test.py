import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tff_lm.models.registry import POSITIONS

LENGTH, WIDTH = 7, 8


class SinusoidalTest(absltest.TestCase):
    def test_adds_sines_and_cosines(self):
        """Places 0 and 3, by hand: the second pair turns a hundred times slower."""
        added = POSITIONS["sinusoidal"]().add(tf.ones([2, 4]), tf.constant([0, 3]))
        by_hand = [[0, 0, 1, 1], [np.sin(3), np.sin(0.03), np.cos(3), np.cos(0.03)]]
        np.testing.assert_allclose(added, 1 + np.array(by_hand), atol=1e-6)

    def test_leaves_queries_and_keys_alone(self):
        heads = tf.random.stateless_normal([2, LENGTH, WIDTH], [1, 2])
        self.assertIs(POSITIONS["sinusoidal"]().rotate(heads), heads)


class RotaryTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.rotary = POSITIONS["rotary"]()

    def test_is_a_product_of_complex_numbers(self):
        """RoFormer, section 3.2.1: x_m times exp(i m theta), pair by pair."""
        heads = np.random.default_rng(0).normal(size=[2, 3, LENGTH, WIDTH]).astype(np.float32)
        pairs = heads[..., : WIDTH // 2] + 1j * heads[..., WIDTH // 2 :]
        theta = 10000.0 ** (-2 * np.arange(WIDTH // 2) / WIDTH)
        turned = pairs * np.exp(1j * np.arange(LENGTH)[:, np.newaxis] * theta)
        expected = np.concatenate([turned.real, turned.imag], axis=-1)
        np.testing.assert_allclose(self.rotary.rotate(tf.constant(heads)), expected, atol=1e-5)

    def test_products_depend_on_the_distance_alone(self):
        """The same query and key everywhere: scores are equal along each diagonal."""
        query, key = np.random.default_rng(1).normal(size=[2, 1, WIDTH])
        turned = [self.rotary.rotate(tf.constant(np.repeat(x, LENGTH, 0))) for x in (query, key)]
        scores = tf.matmul(*turned, transpose_b=True).numpy()
        for distance in range(LENGTH):
            diagonal = np.diagonal(scores, -distance)
            np.testing.assert_allclose(diagonal, diagonal[0], atol=1e-5)
        self.assertNotAlmostEqual(scores[0, 0], scores[1, 0], places=3)

    def test_adds_nothing_to_embeddings(self):
        x = tf.ones([2, 4])
        self.assertIs(self.rotary.add(x, tf.constant([0, 3])), x)

    @parameterized.parameters(tf.float32, tf.bfloat16)
    def test_keeps_shape_and_dtype(self, dtype):
        heads = tf.ones([2, 3, LENGTH, WIDTH], dtype)
        turned = self.rotary.rotate(heads)
        self.assertEqual((turned.shape, turned.dtype), (heads.shape, dtype))


if __name__ == "__main__":
    absltest.main()
