"""TFF's aggregators and ours in each other's place, by executing them."""

import collections
import os

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # inherited by the worker

import numpy as np
import tensorflow_federated as tff
import tensorflow_privacy as tfp
from absl.testing import absltest, parameterized

from compression import make_codec
from compression.interop import CodedSumFactory, with_weights
from tests import stock_tff  # noqa: F401  (ends TFF's worker)

SHAPES = [[3, 4], [40, 40]]
VALUE_TYPE = tff.to_type([(np.float32, shape) for shape in SHAPES])
SCALAR = tff.TensorType(np.float32)
SEEDED = tff.to_type(collections.OrderedDict(weight=np.float32, seed=tff.TensorType(np.int32, [2])))
IDENTITY = make_codec("identity")


def updates(count):
    rng = np.random.default_rng(count)
    return [[rng.normal(size=s).astype("f") for s in SHAPES] for _ in range(count)]


def seeded(weights):
    return [
        collections.OrderedDict(weight=np.float32(weight), seed=np.array([i, 9], np.int32))
        for i, weight in enumerate(weights)
    ]


def private(noise, *sum_factory):
    """TFF's mean of records clipped to 5, over 4 expected clients, with noise on the sum."""
    query = tfp.NormalizedQuery(tfp.GaussianSumQuery(5.0, 5.0 * noise), 4.0)
    return tff.aggregators.DifferentiallyPrivateFactory(query, *sum_factory)


def start(factory, *types):
    process = factory.create(VALUE_TYPE, *types)
    return process, process.initialize()


class CodedSumTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("identity", IDENTITY, 1e-6),
        ("uniform", make_codec("uniform", bits=8, stochastic=False), 0.02),
    )
    def test_equals_tff_sum(self, codec, tolerance):
        values = updates(3)
        process, state = start(CodedSumFactory(codec))
        output = process.next(state, values)
        for i in range(2):
            expected = np.sum([value[i] for value in values], axis=0)
            np.testing.assert_allclose(output.result[i], expected, rtol=1e-5, atol=tolerance * 3)
        self.assertEqual(output.measurements["clients"], 3)
        self.assertGreater(output.measurements["upload_bits"], 0)

    def test_a_bad_record_is_dropped_and_counted(self):
        values = updates(2)
        values[1][0][0, 0] = np.nan
        process, state = start(CodedSumFactory(IDENTITY))
        output = process.next(state, values)
        np.testing.assert_array_equal(output.result[1], values[0][1])
        self.assertEqual(output.measurements["nonfinite_clients"], 1)

    def test_inside_tff_privacy(self):
        """Without noise, TFF's clipped mean; with it, noise of the deviation that it promises."""
        values = updates(4)
        results = {}
        for name, factory in (
            ("tff", private(0.0)),
            ("coded", private(0.0, CodedSumFactory(IDENTITY))),
            ("noisy", private(0.5, CodedSumFactory(IDENTITY))),
        ):
            process, state = start(factory)
            results[name] = process.next(state, values)
        for one, other in zip(results["tff"].result, results["coded"].result, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
        measured = results["coded"].measurements["dp"]
        self.assertEqual(measured["upload_bits"], 4 * 32 * (12 + 1600))
        noise = np.asarray(results["noisy"].result[1]) - results["coded"].result[1]
        self.assertAlmostEqual(noise.std(), 5.0 * 0.5 / 4.0, delta=0.06)


class WithWeightsTest(parameterized.TestCase):
    @parameterized.named_parameters(("scalar", SCALAR), ("seeded", SEEDED))
    def test_weighted_mean(self, weight_type):
        values, weights = updates(3), [1.0, 0.0, 2.5]
        given = weights if weight_type is SCALAR else seeded(weights)
        process, state = start(with_weights(tff.aggregators.MeanFactory()), weight_type)
        output = process.next(state, values, given)
        reference, state = start(tff.aggregators.MeanFactory(), SCALAR)
        expected = reference.next(state, values, weights).result
        for one, other in zip(output.result["mean"], expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6)
        np.testing.assert_array_equal(output.result["weight"], [3.5, 3.5])
        self.assertEqual(output.measurements["clients"], 2)
        np.testing.assert_array_equal(
            output.measurements["upload_bits_per_variable"], [2 * 32 * 12, 2 * 32 * 1600]
        )

    def test_rejected_and_absent_clients(self):
        values = updates(3)
        values[0][1][3, 3] = np.inf
        process, state = start(with_weights(tff.aggregators.MeanFactory()), SCALAR)
        output = process.next(state, values, [1.0, np.nan, 2.0])
        np.testing.assert_array_equal(output.result["mean"][1], values[2][1])
        np.testing.assert_array_equal(output.result["weight"], [2.0, 2.0])
        self.assertEqual(output.measurements["nonfinite_clients"], 2)
        nobody = process.next(state, values, [0.0, 0.0, 0.0])
        for mean in nobody.result["mean"]:
            np.testing.assert_array_equal(mean, 0.0)
        np.testing.assert_array_equal(nobody.result["weight"], 0.0)
        self.assertEqual(nobody.measurements["nonfinite_clients"], 0)

    def test_unweighted_privacy_with_codec(self):
        values = updates(4)
        coded = CodedSumFactory(make_codec("drive"))
        process, state = start(with_weights(private(0.0, coded)), SEEDED)
        output = process.next(state, values, seeded([7.0, 0.0, 1.0, 2.0]))
        np.testing.assert_array_equal(output.result["weight"], [3.0, 3.0])
        # Clipped to 5, three of the four expected clients; the small variable is sent as it is.
        norms = [np.sqrt(sum(np.sum(np.square(v)) for v in value)) for value in values]
        expected = sum(values[i][0] * 5.0 / norms[i] for i in (0, 2, 3)) / 4.0
        np.testing.assert_allclose(output.result["mean"][0], expected, rtol=1e-4, atol=1e-6)
        # Who does not take part sends zeros: privacy hides who does.
        bits = output.measurements["upload_bits_per_variable"]
        self.assertEqual(bits[0], 4 * 32 * 12)
        self.assertLess(bits[1], 4 * 32 * 1600 / 10)

    def test_one_weight_for_each_variable_is_refused(self):
        weight_type = tff.to_type(
            collections.OrderedDict(
                weight=tff.TensorType(np.float32, [2]), seed=tff.TensorType(np.int32, [2])
            )
        )
        with self.assertRaisesRegex(TypeError, "one weight for all variables"):
            with_weights(tff.aggregators.MeanFactory()).create(VALUE_TYPE, weight_type)


if __name__ == "__main__":
    absltest.main()
