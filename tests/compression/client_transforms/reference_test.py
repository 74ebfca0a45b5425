"""The client transforms against NumPy."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from compression.client_transforms.adaptive_clip import AdaptiveClip
from compression.client_transforms.clip import Clip
from compression.client_transforms.drop_large import DropLarge
from compression.client_transforms.keep_largest import KeepLargest

SEED = tf.constant([7, 11])
WEIGHTS = np.array([2.0, 0.0, 1.0], np.float32)


def update_of(seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(np.float32) for shape in ([20, 5], [500], [7])]


def applied(part, update, state=(), weights=WEIGHTS):
    tensors = [tf.constant(value) for value in update]
    changed, weights, measured = part.apply(tensors, tf.constant(weights), state, SEED)
    return [value.numpy() for value in changed], weights.numpy(), measured


def norm_of(update, weights=WEIGHTS):
    sent = [v.ravel() for v, weight in zip(update, weights, strict=True) if weight > 0]
    return np.linalg.norm(np.concatenate(sent).astype(np.float64))


class ClipTest(parameterized.TestCase):
    @parameterized.parameters(0.5, 3.0)
    def test_scales_what_is_sent_to_the_norm(self, limit):
        update = update_of(0)
        norm = norm_of(update)
        self.assertGreater(norm, limit)
        changed, weights, measured = applied(Clip(limit), update)
        for i in (0, 2):
            np.testing.assert_allclose(changed[i], update[i] * limit / norm, rtol=1e-5)
        self.assertAlmostEqual(norm_of(changed), limit, places=5)
        np.testing.assert_array_equal(weights, WEIGHTS)
        self.assertEqual(measured["clipped"], 1)
        np.testing.assert_allclose(measured["norm"], norm, rtol=1e-6)

    def test_leaves_a_shorter_one_bit_for_bit(self):
        update = update_of(1)
        changed, _, measured = applied(Clip(1000.0), update)
        for before, after in zip(update, changed, strict=True):
            np.testing.assert_array_equal(before, after)
        self.assertEqual(measured["clipped"], 0)

    def test_reports_the_mean_norm(self):
        totals = {"clipped": tf.constant(2), "norm": tf.constant(9.0)}
        reported = Clip().report((), totals, tf.constant(3))
        self.assertEqual((reported["clipped_clients"], reported["mean_norm"]), (2, 3.0))


class AdaptiveClipTest(absltest.TestCase):
    def test_follows_the_quantile_over_rounds(self):
        """Two hundred rounds of four clients, by the paper's formula: C ends at the median."""
        part = AdaptiveClip(initial_norm=0.1, quantile=0.5, rate=0.2)
        lengths = [1.0, 2.0, 4.0, 8.0]
        state, expected = part.initial_state(()), 0.1
        for _ in range(200):
            totals = {"clipped": tf.constant(0)}
            for length in lengths:
                update = [np.array([length, 0.0], np.float32)]
                changed, _, measured = applied(part, update, state, np.ones(1, np.float32))
                np.testing.assert_allclose(changed[0][0], min(length, expected), rtol=1e-5)
                totals["clipped"] += measured["clipped"]
            within = np.mean(np.array(lengths) <= expected)
            reported = part.report(state, totals, tf.constant(4))
            np.testing.assert_allclose(reported["clip_norm"], expected, rtol=1e-4)
            state = part.next_state(state, totals, tf.constant(4))
            expected *= np.exp(-0.2 * (within - 0.5))
            np.testing.assert_allclose(state, expected, rtol=1e-4)
        self.assertBetween(expected, 1.9, 4.1)


class DropLargeTest(absltest.TestCase):
    def test_takes_the_weight_of_a_long_update(self):
        update = update_of(0)
        norm = norm_of(update)
        for limit, dropped in ((norm * 0.99, 1), (norm * 1.01, 0)):
            changed, weights, measured = applied(DropLarge(limit), update)
            np.testing.assert_array_equal(weights, (1 - dropped) * WEIGHTS)
            self.assertEqual(measured["dropped_clients"], dropped)
            np.testing.assert_array_equal(changed[0], update[0])


class KeepLargestTest(parameterized.TestCase):
    @parameterized.parameters(0.001, 0.1, 0.5, 1.0)
    def test_keeps_the_largest_of_all_that_is_sent(self, fraction):
        update = update_of(2)
        update[1] *= 100  # not sent: takes nobody's place
        changed, _, measured = applied(KeepLargest(fraction), update)
        sizes = np.sort(np.abs(np.concatenate([update[0].ravel(), update[2]])))[::-1]
        threshold = sizes[int(np.ceil(fraction * 107)) - 1]
        for i in (0, 2):
            expected = np.where(np.abs(update[i]) >= threshold, update[i], 0.0)
            np.testing.assert_array_equal(changed[i], expected)
        kept = sum(np.count_nonzero(changed[i]) for i in (0, 2))
        self.assertEqual(kept, int(np.ceil(fraction * 107)))
        share = (norm_of(changed) / norm_of(update)) ** 2
        np.testing.assert_allclose(measured["share"], share, rtol=1e-5)


if __name__ == "__main__":
    absltest.main()
