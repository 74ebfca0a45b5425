# bazel: size = large

import collections
import os

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # inherited by the worker

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff
from absl.testing import absltest, parameterized

from compression import make_codec, upload
from compression.aggregation import UpdateAggregator
from compression.client_transforms.adaptive_clip import AdaptiveClip
from compression.client_transforms.clip import Clip
from compression.client_transforms.drop_large import DropLarge
from compression.client_transforms.keep_largest import KeepLargest
from compression.rules.mean import Mean
from compression.rules.median import Median
from compression.sum_transforms.gaussian_noise import GaussianNoise
from tests import stock_tff
from tests.compression import codec_cases

SHAPES = [[3, 4], [64, 64]]
VALUE_TYPE = tff.to_type([(np.float32, shape) for shape in SHAPES])
SCALAR = tff.TensorType(np.float32)


def seeded(weight_shape=()):
    return tff.to_type(
        collections.OrderedDict(
            weight=tff.TensorType(np.float32, weight_shape), seed=tff.TensorType(np.int32, [2])
        )
    )


def updates(count, seed=0):
    rng = np.random.default_rng(seed)
    return [[rng.normal(size=s).astype(np.float32) for s in SHAPES] for _ in range(count)]


def weighted(weights):
    return [
        collections.OrderedDict(
            weight=np.asarray(weight, np.float32), seed=np.array([index, 9], np.int32)
        )
        for index, weight in enumerate(weights)
    ]


def state_of(round_number):
    """The state of an aggregator whose parts keep nothing."""
    return collections.OrderedDict(
        round=np.int32(round_number), client_transforms=(), sum_transforms=()
    )


def run(process, values, weights, state=0):
    return process.next(state_of(state), values, weights)


class TypesTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("scalar", SCALAR),
        ("seeded_scalar", seeded()),
        ("one_weight_per_variable", seeded([2])),
    )
    def test_type_signature(self, weight_type):
        process = UpdateAggregator(make_codec("uniform"), measure_error=True).create(
            VALUE_TYPE, weight_type
        )
        measurements = collections.OrderedDict(
            upload_bits=np.int64,
            upload_bits_per_variable=tff.TensorType(np.int64, [2]),
            nonfinite_clients=np.int32,
            clients=np.int32,
            relative_squared_error=np.float32,
        )
        state = tff.FederatedType(
            collections.OrderedDict(round=np.int32, client_transforms=(), sum_transforms=()),
            tff.SERVER,
        )
        result = collections.OrderedDict(mean=VALUE_TYPE, weight=tff.TensorType(np.float32, [2]))
        expected = tff.FunctionType(
            collections.OrderedDict(
                state=state,
                value=tff.FederatedType(VALUE_TYPE, tff.CLIENTS),
                weight=tff.FederatedType(weight_type, tff.CLIENTS),
            ),
            tff.templates.MeasuredProcessOutput(
                state,
                tff.FederatedType(result, tff.SERVER),
                tff.FederatedType(measurements, tff.SERVER),
            ),
        )
        self.assertTrue(process.next.type_signature.is_equivalent_to(expected))

    def test_result_keeps_the_containers_and_the_order_of_declaration(self):
        value = collections.OrderedDict(z=np.ones([2], "f"), a=[np.zeros([3], "f")])
        value_type = tff.to_type(
            collections.OrderedDict(z=(np.float32, [2]), a=[(np.float32, [3])])
        )
        process = UpdateAggregator(make_codec("identity")).create(value_type, seeded([2]))
        output = run(process, [value], weighted([[1.0, 0.0]]))
        self.assertEqual(list(output.result["mean"]), ["z", "a"])
        np.testing.assert_array_equal(output.result["mean"]["z"], value["z"])
        np.testing.assert_array_equal(output.measurements["upload_bits_per_variable"], [2 * 32, 0])

    def test_single_tensor(self):
        process = UpdateAggregator(make_codec("identity")).create(
            tff.TensorType(np.float32, [3]), SCALAR
        )
        output = run(process, [np.array([1, 2, 3], "f"), np.array([3, 2, 1], "f")], [1.0, 3.0])
        np.testing.assert_allclose(output.result["mean"], [2.5, 2.0, 1.5])

    def test_bad_types_are_refused(self):
        factory = UpdateAggregator(make_codec("identity"))
        with self.assertRaisesRegex(TypeError, "Only structures of floats"):
            factory.create(tff.TensorType(np.int32), SCALAR)
        with self.assertRaisesRegex(TypeError, "neither a scalar nor"):
            factory.create(VALUE_TYPE, seeded([3]))
        with self.assertRaisesRegex(TypeError, "make_codec"):
            UpdateAggregator("uniform")
        with self.assertRaisesRegex(TypeError, "no client transform: it must be a ClientTransform"):
            UpdateAggregator(make_codec("identity"), client_transforms=["clip"])


class MeanTest(parameterized.TestCase):
    @parameterized.named_parameters(("scalar", SCALAR), ("seeded", seeded()))
    def test_identity_equals_tff_mean(self, weight_type):
        values, weights = updates(3), [1.0, 0.0, 2.5]
        given = weights if weight_type is SCALAR else weighted(weights)
        ours = run(
            UpdateAggregator(make_codec("identity")).create(VALUE_TYPE, weight_type),
            values,
            given,
        )
        process = tff.aggregators.MeanFactory().create(VALUE_TYPE, SCALAR)
        theirs = process.next(process.initialize(), values, weights)
        for mine, other in zip(ours.result["mean"], theirs.result, strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-6, atol=1e-7)
        self.assertEqual(ours.state["round"], 1)
        np.testing.assert_array_equal(ours.result["weight"], [3.5, 3.5])
        self.assertEqual(ours.measurements["clients"], 2)
        self.assertEqual(ours.measurements["upload_bits"], 2 * 32 * (12 + 4096))

    def test_hand_computed_masks(self):
        # Three clients, two variables; client 1 trained only the second one, client 2 the first.
        value_type = tff.to_type([(np.float32, [2]), (np.float32, [1])])
        values = [[[1.0, 2.0], [10.0]], [[50.0, 50.0], [20.0]], [[4.0, 8.0], [99.0]]]
        values = [[np.array(v, np.float32) for v in value] for value in values]
        weights = weighted([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]])
        process = UpdateAggregator(make_codec("identity")).create(value_type, seeded([2]))
        output = run(process, values, weights)
        np.testing.assert_allclose(output.result["mean"][0], [(2 * 1 + 4) / 3, (2 * 2 + 8) / 3])
        np.testing.assert_allclose(output.result["mean"][1], [(10 + 3 * 20) / 4])
        np.testing.assert_array_equal(
            output.measurements["upload_bits_per_variable"], [2 * 64, 2 * 32]
        )
        self.assertEqual(output.measurements["upload_bits"], 192)
        self.assertEqual(output.measurements["clients"], 3)
        np.testing.assert_array_equal(output.result["weight"], [3.0, 4.0])

    @parameterized.parameters(*codec_cases.CODECS)
    def test_variable_that_nobody_trained_has_no_weight(self, name):
        process = UpdateAggregator(
            codec_cases.CODECS[name], min_elements=1, measure_error=True
        ).create(VALUE_TYPE, seeded([2]))
        for weights, trained in (([1.0, 0.0], 0), ([0.0, 1.0], 1)):
            output = run(process, updates(2), weighted([weights] * 2))
            np.testing.assert_array_equal(output.result["weight"], np.multiply(weights, 2))
            self.assertTrue(np.any(output.result["mean"][trained]))
            np.testing.assert_array_equal(output.result["mean"][1 - trained], 0.0)
            bits = output.measurements["upload_bits_per_variable"]
            self.assertGreater(bits[trained], 0)
            self.assertEqual(bits[1 - trained], 0)

    def test_error_of_a_variable_that_nobody_trained_does_not_count(self):
        process = UpdateAggregator(make_codec("drive"), measure_error=True).create(
            VALUE_TYPE, seeded([2])
        )
        output = run(process, updates(2), weighted([[1.0, 0.0], [1.0, 0.0]]))
        np.testing.assert_array_equal(
            output.measurements["upload_bits_per_variable"], [2 * 12 * 32, 0]
        )
        self.assertEqual(output.measurements["relative_squared_error"], 0.0)

    @parameterized.named_parameters(
        ("uniform", make_codec("uniform", bits=4), 4096 * 4 + 64, 0.06),
        ("rotated", make_codec("rotated"), 4096 * 4 + 64, 0.06),
        ("drive", make_codec("drive"), 4096 + 32, 0.6),
        ("eden", make_codec("eden", bits=4), 4 * 4096 + 32, 0.012),
        ("entropy", make_codec("entropy", inner="terngrad", min_levels=1), None, 3.5),
        ("random_k", make_codec("random_k"), 32 * 410, 9.5),
    )
    def test_codecs_give_the_mean_within_their_error(self, codec, bits, relative_error):
        values = updates(4)
        process = UpdateAggregator(codec, measure_error=True).create(VALUE_TYPE, seeded())
        output = run(process, values, weighted([1.0] * 4))
        expected = np.mean([value[1] for value in values], 0)
        np.testing.assert_allclose(
            output.result["mean"][0],
            np.mean([value[0] for value in values], 0),
            rtol=1e-5,
            atol=1e-6,
        )  # small: sent as it is
        # Independent noise of four clients averages out: a quarter of the error of one, relative
        # to a mean of four independent normal vectors, which is itself a quarter as large.
        error = np.sum((output.result["mean"][1] - expected) ** 2) / np.sum(expected**2)
        self.assertLess(error, relative_error * 1.1)
        self.assertGreater(error, relative_error * 0.4)
        measured = float(output.measurements["relative_squared_error"])
        self.assertLess(measured, relative_error)
        self.assertGreater(measured, relative_error / 2)
        if bits is not None:
            np.testing.assert_array_equal(
                output.measurements["upload_bits_per_variable"], [4 * 12 * 32, 4 * bits]
            )

    def test_error_is_measured_on_request_only(self):
        process = UpdateAggregator(make_codec("uniform")).create(VALUE_TYPE, SCALAR)
        output = run(process, updates(1), [1.0])
        self.assertNotIn("relative_squared_error", output.measurements)

    def test_no_clients_weight_gives_zeros(self):
        process = UpdateAggregator(make_codec("eden")).create(VALUE_TYPE, SCALAR)
        output = run(process, updates(2), [0.0, 0.0])
        for result in output.result["mean"]:
            np.testing.assert_array_equal(result, np.zeros_like(result))
        np.testing.assert_array_equal(output.result["weight"], 0.0)
        self.assertEqual(output.measurements["upload_bits"], 0)
        self.assertEqual(output.measurements["clients"], 0)

    def test_what_a_codec_rounds_to_zero_was_trained_nevertheless(self):
        process = UpdateAggregator(make_codec("float16")).create(VALUE_TYPE, SCALAR)
        output = run(process, [[np.zeros([3, 4], "f"), np.full([64, 64], 1e-9, "f")]], [2.0])
        np.testing.assert_array_equal(output.result["mean"][1], 0.0)
        np.testing.assert_array_equal(output.result["weight"], [2.0, 2.0])


class NonFiniteTest(parameterized.TestCase):
    @parameterized.product(
        name=["identity", "float16", "uniform", "drive", "top_k"], bad=[np.nan, np.inf]
    )
    def test_a_bad_update_is_dropped_as_a_whole_and_counted(self, name, bad):
        values = updates(3)
        values[1][1][5, 7] = bad
        process = UpdateAggregator(make_codec(name), measure_error=True).create(
            VALUE_TYPE, seeded()
        )
        output = run(process, values, weighted([1.0, 1.0, 3.0]))
        kept = run(process, [values[0], values[2]], weighted([1.0, 0.0, 3.0])[::2])
        for with_bad, without in zip(output.result["mean"], kept.result["mean"], strict=True):
            np.testing.assert_array_equal(with_bad, without)
        self.assertEqual(output.measurements["nonfinite_clients"], 1)
        self.assertEqual(output.measurements["clients"], 2)
        self.assertEqual(output.measurements["upload_bits"], kept.measurements["upload_bits"])
        self.assertTrue(np.isfinite(output.measurements["relative_squared_error"]))

    def test_a_client_says_itself_that_its_training_failed(self):
        """By weights of NaN, also for variables that it would not send."""
        process = UpdateAggregator(make_codec("drive")).create(VALUE_TYPE, seeded([2]))
        output = run(process, updates(2), weighted([[np.nan, np.nan], [1.0, 0.0]]))
        self.assertEqual(output.measurements["nonfinite_clients"], 1)
        np.testing.assert_array_equal(output.result["weight"], [1.0, 0.0])
        np.testing.assert_array_equal(output.measurements["upload_bits_per_variable"], [384, 0])

    @parameterized.parameters(np.nan, np.inf, -1.0)
    def test_a_bad_weight_counts_as_a_bad_update(self, weight):
        values = updates(2)
        process = UpdateAggregator(make_codec("identity")).create(VALUE_TYPE, SCALAR)
        output = run(process, values, [2.0, weight])
        np.testing.assert_allclose(output.result["mean"][1], values[0][1], rtol=1e-6)
        self.assertEqual(output.measurements["nonfinite_clients"], 1)

    def test_a_bad_variable_that_is_not_sent_does_not_matter(self):
        values = updates(1)
        values[0][1][:] = np.nan
        process = UpdateAggregator(make_codec("identity")).create(VALUE_TYPE, seeded([2]))
        output = run(process, values, weighted([[1.0, 0.0]]))
        self.assertEqual(output.measurements["nonfinite_clients"], 0)
        np.testing.assert_array_equal(output.result["mean"][1], np.zeros([64, 64]))


class SeedTest(parameterized.TestCase):
    def test_the_result_follows_from_the_clients_seeds(self):
        process = UpdateAggregator(make_codec("drive")).create(VALUE_TYPE, seeded())
        values, weights = updates(2), weighted([1.0, 1.0])
        first, again = run(process, values, weights), run(process, values, weights)
        np.testing.assert_array_equal(first.result["mean"][1], again.result["mean"][1])
        weights[0]["seed"] = np.array([1234, 0], np.int32)
        other = run(process, values, weights)
        self.assertGreater(np.max(np.abs(first.result["mean"][1] - other.result["mean"][1])), 0.0)

    def test_without_a_seed_noise_depends_on_value_and_round(self):
        process = UpdateAggregator(make_codec("drive")).create(VALUE_TYPE, SCALAR)
        values = updates(1)
        first, again = run(process, values, [1.0]), run(process, values, [1.0])
        np.testing.assert_array_equal(first.result["mean"][1], again.result["mean"][1])
        later = run(process, values, [1.0], state=1)
        self.assertGreater(np.max(np.abs(first.result["mean"][1] - later.result["mean"][1])), 0.0)
        # Two clients with different values: independent noise, hence half the error of one.
        shifted = [values[0][0] + 1.0, values[0][1]]
        both = run(process, [values[0], shifted], [1.0, 1.0])
        one_error = np.sum((first.result["mean"][1] - values[0][1]) ** 2)
        self.assertLess(np.sum((both.result["mean"][1] - values[0][1]) ** 2), 0.6 * one_error)

    @parameterized.named_parameters(
        ("reversed", lambda x: x[::-1]),
        ("negated", lambda x: -x),
        ("moved", lambda x: np.roll(x, 1)),
    )
    def test_updates_that_differ_in_places_or_signs_alone_have_other_seeds(self, change):
        x = np.random.default_rng(0).normal(size=64).astype(np.float32)
        seeds = [
            upload.content_seed([tf.constant(values)], 0, tf.constant(1)).numpy().tolist()
            for values in (x, change(x), x.copy())
        ]
        self.assertNotEqual(seeds[0], seeds[1])
        self.assertEqual(seeds[0], seeds[2])

    def test_variables_of_equal_value_get_different_noise(self):
        value_type = tff.to_type([(np.float32, [4096])] * 2)
        x = np.random.default_rng(0).normal(size=4096).astype(np.float32)
        process = UpdateAggregator(make_codec("drive")).create(value_type, seeded())
        output = run(process, [[x, x]], weighted([1.0]))
        self.assertGreater(np.max(np.abs(output.result["mean"][0] - output.result["mean"][1])), 0.0)


class PartsTest(parameterized.TestCase):
    """Parts in their places: by hand, over rounds, and split between workers."""

    def _process(self, **parts):
        factory = UpdateAggregator(make_codec("identity"), **parts)
        return factory.create(tff.to_type([(np.float32, [2]), (np.float32, [1])]), seeded([2]))

    def test_hand_computed_with_a_part_of_each_kind(self):
        # Lengths 5, 10 and (of what it sends) 1, clipped to 5; the median of two is their mean.
        values = [[[3.0, 4.0], [0.0]], [[0.0, 10.0], [0.0]], [[50.0, 50.0], [1.0]]]
        values = [[np.array(v, np.float32) for v in value] for value in values]
        weights = weighted([[2.0, 0.0], [9.0, 0.0], [0.0, 1.0]])
        parts = {"client_transforms": [Clip(5.0)], "rule": Median()}
        process = self._process(**parts, sum_transforms=[GaussianNoise(0.0)])
        output = process.next(process.initialize(), values, weights)
        np.testing.assert_allclose(output.result["mean"][0], [1.5, 4.5], rtol=1e-6)
        np.testing.assert_allclose(output.result["mean"][1], [1.0])
        np.testing.assert_array_equal(output.result["weight"], [1.0, 1.0])
        self.assertEqual(output.measurements["clipped_clients"], 1)
        np.testing.assert_allclose(output.measurements["mean_norm"], 16.0 / 3, rtol=1e-6)
        self.assertEqual(output.measurements["noise_norm"], 0.0)
        noisy = self._process(**parts, sum_transforms=[GaussianNoise(1.0)])
        state = noisy.initialize()
        first, again = (noisy.next(state, values, weights) for _ in range(2))
        later = noisy.next(first.state, values, weights)
        np.testing.assert_array_equal(first.result["mean"][0], again.result["mean"][0])
        self.assertNotEqual(first.result["mean"][0][0], later.result["mean"][0][0])

    def test_state_goes_from_round_to_round_and_names_do_not_collide(self):
        parts = [AdaptiveClip(1.0, rate=1.0), DropLarge(1.2), AdaptiveClip(0.25, rate=1.0)]
        process = self._process(client_transforms=parts)
        values = [[np.array([3.0, 4.0], "f"), np.array([9.0], "f")]] * 2
        state = process.initialize()
        for number in range(2):
            # The client that is not finite counts nowhere.
            given = weighted([[1.0, 0.0], [np.nan, 0.0]])
            output = process.next(state, values, given)
            state, measured = output.state, output.measurements
            np.testing.assert_allclose(measured["clip_norm"], np.exp(0.5 * number), rtol=1e-5)
            self.assertEqual(measured["clipped_clients"], 1)
            # At exp(0.5), the second finds the update too long, and the third finds nobody.
            self.assertEqual(measured["dropped_clients"], number)
            self.assertEqual(measured["clipped_clients_2"], 1 - number)
            self.assertEqual(measured["clients"], 1 - number)
        self.assertEqual(state["round"], 2)
        np.testing.assert_allclose(state["client_transforms"][0], np.exp(1.0), rtol=1e-5)
        np.testing.assert_allclose(state["client_transforms"][2], 0.25 * np.exp(0.5), rtol=1e-5)

    @parameterized.named_parameters(("mean", Mean()), ("median", Median()))
    def test_clients_can_be_split_between_workers(self, rule):
        process = UpdateAggregator(
            make_codec("drive"),
            client_transforms=[AdaptiveClip(50.0), KeepLargest(0.5)],
            rule=rule,
            sum_transforms=[GaussianNoise(0.1)],
        ).create(VALUE_TYPE, seeded([2]))
        values = updates(4)
        values[3][1][0, 0] = np.nan
        weights = weighted([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        arguments = (process.initialize(), values, weights)
        split = stock_tff.run_split(process.next, arguments, groups=2)
        whole = process.next(*arguments)
        for one, other in zip(split.result["mean"], whole.result["mean"], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
        for name, value in whole.measurements.items():
            np.testing.assert_allclose(split.measurements[name], value, rtol=1e-5, err_msg=name)
        self.assertEqual(whole.measurements["nonfinite_clients"], 1)


class CompositionTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("clipping", lambda inner: tff.aggregators.clipping_factory(1.0, inner)),
        ("zeroing", lambda inner: tff.aggregators.zeroing_factory(1e3, inner)),
    )
    def test_with_tff_factories(self, wrap):
        values = updates(2)
        factory = wrap(UpdateAggregator(make_codec("uniform", bits=8)))
        process = factory.create(VALUE_TYPE, seeded())
        output = process.next(process.initialize(), values, weighted([1.0, 1.0]))
        reference = wrap(tff.aggregators.MeanFactory()).create(VALUE_TYPE, SCALAR)
        expected = reference.next(reference.initialize(), values, [1.0, 1.0])
        spread = np.max(np.abs(expected.result[1]))
        np.testing.assert_allclose(output.result["mean"][1], expected.result[1], atol=spread * 0.05)

    @parameterized.named_parameters(
        ("clipping", lambda inner: tff.aggregators.clipping_factory(1.0, inner)),
        ("zeroing", lambda inner: tff.aggregators.zeroing_factory(1e3, inner)),
    )
    def test_what_nobody_trained_has_no_weight_in_tff_factories(self, wrap):
        process = wrap(UpdateAggregator(make_codec("uniform", bits=8))).create(
            VALUE_TYPE, seeded([2])
        )
        masked = weighted([[0.0, 1.0], [0.0, 2.0]])
        output = process.next(process.initialize(), updates(2), masked)
        np.testing.assert_array_equal(output.result["mean"][0], 0.0)
        np.testing.assert_array_equal(output.result["weight"], [0.0, 3.0])
        self.assertTrue(np.any(output.result["mean"][1]))

    @parameterized.named_parameters(
        ("identity", make_codec("identity")),
        ("drive", make_codec("drive")),
        ("entropy", make_codec("entropy", min_levels=1)),
    )
    def test_clients_can_be_split_between_workers(self, codec):
        process = UpdateAggregator(codec, measure_error=True).create(VALUE_TYPE, seeded([2]))
        values = updates(4)
        weights = weighted([[1.0, 2.0], [3.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
        split = stock_tff.run_split(process.next, (state_of(0), values, weights), groups=2)
        whole = run(process, values, weights)
        for one, other in zip(split.result["mean"], whole.result["mean"], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(
            split.measurements["upload_bits_per_variable"],
            whole.measurements["upload_bits_per_variable"],
        )
        self.assertEqual(split.measurements["clients"], 3)


if __name__ == "__main__":
    absltest.main()
