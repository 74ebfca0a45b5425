"""Momentum, with and without Nesterov's look-ahead, against NumPy."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tff_lm.learning.optimizers.build import build_optimizer
from tff_lm.learning.optimizers.optimizer import Update


class MomentumTest(parameterized.TestCase):
    @parameterized.parameters(("momentum", False), ("momentum(nesterov=True)", True))
    def test_steps(self, text, looks_ahead):
        optimizer = build_optimizer(text, momentum=0.8)
        variable, slot = tf.Variable([1.0, -2.0]), tf.Variable([0.0, 0.0])
        w, a = np.array([1.0, -2.0]), np.zeros(2)
        for step, gradient in enumerate(([0.5, 1.0], [-1.0, 2.0], [0.25, 0.0]), start=1):
            constants = [tf.constant(value) for value in (gradient, 0.1, step)]
            optimizer.apply(Update("w", variable, [slot], *constants))
            a = 0.8 * a + gradient
            w = w - 0.1 * (0.8 * a + gradient if looks_ahead else a)
            np.testing.assert_allclose(variable.numpy(), w, rtol=1e-6)
            np.testing.assert_allclose(slot.numpy(), a, rtol=1e-6)


if __name__ == "__main__":
    absltest.main()
