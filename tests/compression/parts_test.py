"""What every part of an aggregator promises, over the registries."""

import functools
from collections import OrderedDict

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from compression import make_codec, upload
from compression.registry import CLIENT_TRANSFORMS, RULES, SUM_TRANSFORMS
from compression.variables import code_variables

SHAPES = [(3, 4), (5,), ()]
VARIABLES = code_variables([(shape, np.float32) for shape in SHAPES], make_codec("identity"))
SEED = tf.constant([7, 11])
PARTIAL = [2.0, 0.0, 1.0]


def tearDownModule():
    encoder.cache_clear()
    combiner.cache_clear()


def update_of(seed):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.normal(size=shape), np.float32) for shape in SHAPES]


@functools.cache
def encoder(name):
    """(values, weights, seed) -> upload of a client with one transform, traced once."""
    part = CLIENT_TRANSFORMS[name]()

    @tf.function(autograph=False)
    def encode(values, weights, seed):
        state = part.initial_state(VARIABLES)
        return upload.encode_update(VARIABLES, [part], [state], values, weights, seed, True)

    return encode


def encoded(name, values, weights=PARTIAL, seed=SEED):
    tensors = [tf.constant(value) for value in values]
    return encoder(name)(tensors, tf.constant(weights, tf.float32), seed)


class ClientTransformTest(parameterized.TestCase):
    @parameterized.product(name=list(CLIENT_TRANSFORMS))
    def test_keeps_shapes_and_dtypes_and_raises_no_weight(self, name):
        part = CLIENT_TRANSFORMS[name]()
        half = [tf.constant(value, tf.float16) for value in update_of(0)]
        for update in (update_of(0), half):
            tensors = [tf.convert_to_tensor(value) for value in update]
            weights = tf.constant(PARTIAL)
            state = part.initial_state(VARIABLES)
            changed, new_weights, measured = part.apply(tensors, weights, state, SEED)
            for before, after in zip(tensors, changed, strict=True):
                self.assertEqual((before.dtype, before.shape), (after.dtype, after.shape))
            self.assertTrue(np.all(new_weights <= weights))
            for value in measured.values():
                self.assertEqual(value.shape, ())

    @parameterized.product(name=list(CLIENT_TRANSFORMS), bad=[np.nan, np.inf, -np.inf])
    def test_never_hides_what_is_not_finite(self, name, bad):
        values = update_of(0)
        values[0][1, 2] = bad
        sent = encoded(name, values)
        self.assertEqual(sent["nonfinite"], 1)
        np.testing.assert_array_equal(sent["weights"], 0.0)
        for measured in tf.nest.flatten(sent["measured"]):
            self.assertEqual(measured, 0)

    @parameterized.product(name=list(CLIENT_TRANSFORMS), bad=[np.nan, -1.0, np.inf])
    def test_never_mends_a_bad_weight(self, name, bad):
        huge = [1e6 * value for value in update_of(0)]
        self.assertEqual(encoded(name, huge, [1.0, bad, 1.0])["nonfinite"], 1)

    @parameterized.product(name=list(CLIENT_TRANSFORMS))
    def test_what_is_not_sent_does_not_matter(self, name):
        values, other = update_of(0), update_of(0)
        other[1][:] = np.nan
        first, second = encoded(name, values), encoded(name, other)
        self.assertEqual(second["nonfinite"], 0)
        for key in ("weights", "bits", "error", "measured"):
            tf.nest.map_structure(np.testing.assert_array_equal, first[key], second[key])
        for index in (0, 2):
            np.testing.assert_array_equal(
                *[s["payloads"][index]["values"] for s in (first, second)]
            )

    @parameterized.product(name=list(CLIENT_TRANSFORMS))
    def test_a_client_without_data_sends_nothing_and_is_not_measured(self, name):
        sent = encoded(name, [np.zeros(shape, "f") for shape in SHAPES], [0.0] * 3)
        self.assertEqual((sent["nonfinite"], np.sum(sent["bits"])), (0, 0))
        for measured in tf.nest.flatten(sent["measured"]):
            self.assertEqual(measured, 0)

    @parameterized.product(name=list(CLIENT_TRANSFORMS))
    def test_state_keeps_its_form_and_a_round_of_nobody_is_finite(self, name):
        part = CLIENT_TRANSFORMS[name]()
        state = part.initial_state(VARIABLES)
        tensors = [tf.constant(value) for value in update_of(0)]
        _, _, measured = part.apply(tensors, tf.constant(PARTIAL), state, SEED)
        following = part.next_state(state, measured, tf.constant(1))
        tf.nest.map_structure(
            lambda a, b: self.assertEqual((a.shape, a.dtype), (b.shape, b.dtype)), state, following
        )
        nothing = OrderedDict((key, tf.zeros_like(value)) for key, value in measured.items())
        nobody = tf.constant(0)
        still = part.next_state(state, nothing, nobody)
        tf.nest.map_structure(np.testing.assert_array_equal, still, state)
        for value in part.report(state, nothing, nobody).values():
            self.assertTrue(np.isfinite(value))


@functools.cache
def combiner(name):
    """(rows of values, rows of weights) -> total; traced once for a number of clients."""
    rule = RULES[name]()

    @tf.function(autograph=False)
    def combine(updates, weights):
        total = rule.zero(VARIABLES)
        for update, weight in zip(updates, weights, strict=True):
            total = rule.accumulate(total, [lambda v=v: v for v in update], weight)
        return total

    @tf.function(autograph=False)
    def finish(*totals):
        total = functools.reduce(rule.merge, totals)
        return rule.sums_and_weights(total)

    return combine, finish


def combined(name, *groups):
    """(sums, weights) of groups of (update, weights), merged."""
    combine, finish = combiner(name)
    totals = [
        combine(
            [[tf.constant(value) for value in update] for update, _ in group],
            [tf.constant(weights, tf.float32) for _, weights in group],
        )
        for group in groups
    ]
    sums, weights = finish(*totals)
    return [value.numpy() for value in sums], weights.numpy()


COHORT = [(update_of(1), [1, 2, 0]), (update_of(2), [3, 0, 0]), (update_of(3), [1, 1, 0])]


class RuleTest(parameterized.TestCase):
    def _assert_close(self, first, second):
        for one, other in zip(first[0], second[0], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(first[1], second[1])

    @parameterized.product(name=list(RULES))
    def test_order_and_grouping_do_not_matter(self, name):
        whole = combined(name, COHORT)
        self._assert_close(whole, combined(name, COHORT[::-1]))
        self._assert_close(whole, combined(name, COHORT[:1], COHORT[1:]))
        self._assert_close(whole, combined(name, [], COHORT))

    @parameterized.product(name=list(RULES))
    def test_what_nobody_trained_weighs_nothing_and_is_zero(self, name):
        sums, weights = combined(name, COHORT)
        np.testing.assert_array_equal(weights > 0.0, [True, True, False])
        np.testing.assert_array_equal(sums[2], np.zeros(()))
        sums, weights = combined(name, [])
        np.testing.assert_array_equal(weights, 0.0)
        for value in sums:
            np.testing.assert_array_equal(value, 0.0)

    @parameterized.product(name=list(RULES))
    def test_what_is_not_sent_does_not_count(self, name):
        poisoned = [([np.full_like(value, np.nan) for value in update_of(0)], [0, 0, 0])]
        self._assert_close(combined(name, COHORT), combined(name, COHORT + poisoned))


class SumTransformTest(parameterized.TestCase):
    def _applied(self, name, seed=SEED):
        part = SUM_TRANSFORMS[name]()
        sums = [tf.constant(value) for value in update_of(0)]
        sums[1] = tf.zeros([5])
        state = part.initial_state(VARIABLES)
        return state, part.apply(sums, tf.constant([4.0, 0.0, 2.0]), state, seed)

    @parameterized.product(name=list(SUM_TRANSFORMS))
    def test_what_nobody_trained_stays_untouched(self, name):
        state, (sums, weights, following, measured) = self._applied(name)
        np.testing.assert_array_equal(sums[1], np.zeros(5))
        np.testing.assert_array_equal(weights > 0.0, [True, False, True])
        tf.nest.assert_same_structure(state, following)
        for value, shape in zip(sums, SHAPES, strict=True):
            self.assertEqual(value.shape, shape)
        for value in measured.values():
            self.assertTrue(np.isfinite(value))

    @parameterized.product(name=list(SUM_TRANSFORMS))
    def test_follows_from_the_seed(self, name):
        first, again = self._applied(name)[1], self._applied(name)[1]
        tf.nest.map_structure(np.testing.assert_array_equal, first[0], again[0])


class NamesTest(parameterized.TestCase):
    @parameterized.parameters(
        (CLIENT_TRANSFORMS, "clipp", "Unknown client transform 'clipp'; did you mean 'clip'"),
        (RULES, "maen", "Unknown rule 'maen'; did you mean 'mean'"),
        (SUM_TRANSFORMS, "noise", "Unknown sum transform 'noise'"),
    )
    def test_unknown_names(self, registry, name, message):
        with self.assertRaisesRegex(ValueError, message):
            registry[name]

    @parameterized.parameters(
        (CLIENT_TRANSFORMS, "clip", {"norm": 0.0}),
        (CLIENT_TRANSFORMS, "drop_large", {"norm": -1.0}),
        (CLIENT_TRANSFORMS, "adaptive_clip", {"initial_norm": 0.0}),
        (CLIENT_TRANSFORMS, "adaptive_clip", {"quantile": 1.5}),
        (CLIENT_TRANSFORMS, "adaptive_clip", {"rate": -0.1}),
        (CLIENT_TRANSFORMS, "keep_largest", {"fraction": 0.0}),
        (SUM_TRANSFORMS, "gaussian_noise", {"stddev": -1.0}),
    )
    def test_bad_options(self, registry, name, options):
        ((option, value),) = options.items()
        with self.assertRaisesRegex(ValueError, f"{name}: {option} = {value}"):
            registry[name](**options)


if __name__ == "__main__":
    absltest.main()
