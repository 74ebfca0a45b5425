"""What every codec promises, over the whole registry."""

# bazel: size = large

import functools

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tests.compression.codec_cases import (
    AT_THE_LIMIT,
    CODECS,
    case_of,
    error_bound,
    names_without_a_case,
    payload_bits,
    worst_error,
)

CASES = [(name, codec) for name, codec in CODECS.items()]
SEED = np.array([7, 11], np.int32)


def heavy_tailed(shape, seed=0):
    """A dense tensor whose largest values are many times its typical ones, like a model's delta."""
    return np.random.default_rng(seed).standard_t(5, shape).astype(np.float32)


@functools.cache
def compiled(codec, shape):
    """(x, seed) -> payload, decoded; traced once for a shape, so tests share a few shapes."""

    def run(x, seed):
        payload = codec.encode(x, seed)
        return payload, codec.decode(payload, shape, seed)

    return tf.function(run).get_concrete_function(
        tf.TensorSpec(shape, tf.float32), tf.TensorSpec([2], tf.int32)
    )


def tearDownModule():
    compiled.cache_clear()


def round_trip(codec, x, seed=SEED):
    payload, decoded = compiled(codec, x.shape)(tf.constant(x), tf.constant(seed))
    return payload, decoded.numpy()


def errors_over_seeds(codec, x, count):
    """float32[count, n]: the error of each of `count` independent round trips, traced once."""

    @tf.function
    def run(seeds):
        def one(seed):
            payload = codec.encode(tf.constant(x), seed)
            return tf.reshape(codec.decode(payload, x.shape, seed) - x, [-1])

        return tf.map_fn(one, seeds, fn_output_signature=tf.TensorSpec([x.size]))

    seeds = np.stack([np.arange(count), np.full(count, 5)], 1).astype(np.int32)
    return run(tf.constant(seeds)).numpy()


def payload_bytes(payload):
    return [(name, np.asarray(part).tobytes()) for name, part in payload.items()]


class CodecTest(parameterized.TestCase):
    def test_every_registered_codec_is_under_these_tests(self):
        for name in names_without_a_case():
            self.fail(
                f"Codec {name!r} has no case: add {name!r}: CodecCase(error=..., bits=...) to "
                "CASES in tests/compression/codec_cases.py."
            )

    @parameterized.named_parameters(CASES)
    def test_unbiased_where_it_claims_to_be_and_error_within_the_papers_bound(self, codec):
        x = heavy_tailed([64, 64])
        errors = errors_over_seeds(codec, x, case_of(codec).runs)
        self.assertLessEqual(np.mean(np.sum(errors**2, 1)), 1.02 * error_bound(codec, x))
        if not codec.is_unbiased or codec.is_lossless:
            return
        # Sums over random halves of the tensor, and the direction of the tensor itself.
        directions = np.random.default_rng(1).choice([-1.0, 1.0], [x.size, 32])
        directions = np.concatenate([directions, x.reshape(-1, 1)], 1)
        projected = errors @ directions
        standard_error = projected.std(0, ddof=1) / np.sqrt(len(errors)) + 1e-5
        self.assertLess(np.max(np.abs(projected.mean(0)) / standard_error), 5.0)

    @parameterized.named_parameters(CASES)
    def test_values_on_the_grid_come_back(self, codec):
        if not case_of(codec).has_single_values(codec):
            self.skipTest("a single value is not on its grid")
        for position in (0, 1000, 4095):
            x = np.zeros([4096], np.float32)
            x[position] = -3.0
            _, decoded = round_trip(codec, x)
            np.testing.assert_allclose(decoded, x, atol=2e-6)

    @parameterized.named_parameters(CASES)
    def test_zeros_stay_zeros(self, codec):
        for shape in ([], [1], [7], [30, 70]):
            payload, decoded = round_trip(codec, np.zeros(shape, np.float32))
            self.assertTrue(codec.is_valid(payload))
            np.testing.assert_array_equal(decoded, np.zeros(shape))

    @parameterized.named_parameters(CASES)
    def test_constants_and_single_elements_within_the_bound(self, codec):
        for x in (np.full([1001], 2.5), np.full([30, 70], -1e-3), np.array([4.0]), np.array(-0.3)):
            x = x.astype(np.float32)
            payload, decoded = round_trip(codec, x)
            self.assertTrue(codec.is_valid(payload))
            self.assertEqual(decoded.shape, x.shape)
            if codec.is_unbiased and not codec.is_lossless:  # a bound on the mean only
                self.assertTrue(np.all(np.isfinite(decoded)))
            else:
                bound = (1.0 + 1e-5) * error_bound(codec, x) + 1e-10 * np.sum(x**2)
                self.assertLessEqual(np.sum((decoded - x) ** 2), bound)

    @parameterized.named_parameters(CASES)
    def test_empty_tensors(self, codec):
        for shape in ([0], [0, 7]):
            payload, decoded = round_trip(codec, np.zeros(shape, np.float32))
            self.assertTrue(codec.is_valid(payload))
            self.assertEqual(list(decoded.shape), shape)

    @parameterized.named_parameters(CASES)
    def test_huge_values_are_coded_or_reported(self, codec):
        for size in (1e4, 1e15, 1e30, 3e38):
            x = heavy_tailed([2048])
            x = (x / np.abs(x).max() * size).astype(np.float32)
            payload, decoded = round_trip(codec, x)
            if codec.is_valid(payload):
                error = np.sum((decoded.astype(np.float64) - x) ** 2)
                bound = error_bound(codec, x / size) * size**2
                self.assertLessEqual(error, 2.0 * bound)
            else:
                self.assertGreater(size, 1e4, "an ordinary value was reported as not finite")

    @parameterized.named_parameters(CASES)
    def test_tiny_values_do_no_harm(self, codec):
        for size in (1e-20, 1e-37, 1e-42):
            payload, decoded = round_trip(codec, heavy_tailed([2048]) * np.float32(size))
            self.assertTrue(codec.is_valid(payload))
            self.assertLess(np.max(np.abs(decoded)), max(1e3 * size, 1e-36))

    @parameterized.named_parameters(CASES)
    def test_nan_and_infinity_are_reported(self, codec):
        for bad in (np.nan, np.inf, -np.inf):
            for position in (0, 2047, 4095):
                x = heavy_tailed([4096])
                x[position] = bad
                self.assertFalse(codec.is_valid(round_trip(codec, x)[0]), (bad, position))
        self.assertFalse(codec.is_valid(round_trip(codec, np.full([30, 70], np.inf, "f"))[0]))

    @parameterized.named_parameters(CASES)
    def test_same_seed_same_bytes_in_any_graph(self, codec):
        x = tf.constant(heavy_tailed([30, 70]))
        first = tf.function(codec.encode)(x, tf.constant(SEED))
        second, _ = round_trip(codec, x.numpy())
        self.assertEqual(payload_bytes(first), payload_bytes(second))

    @parameterized.named_parameters(CASES)
    def test_noise_of_different_seeds_is_independent(self, codec):
        if not codec.is_unbiased or codec.is_lossless:
            self.skipTest("its errors are not noise")
        first, second = errors_over_seeds(codec, heavy_tailed([64, 64]), 2).astype(np.float64)
        first, second = first - first.mean(), second - second.mean()
        correlation = np.sum(first * second) / np.sqrt(np.sum(first**2) * np.sum(second**2))
        self.assertLess(abs(correlation), case_of(codec).correlation)

    @parameterized.named_parameters(CASES)
    def test_payload_to_the_bit(self, codec):
        for shape in ([1], [7], [1001], [64, 64], [30, 70]):
            payload, _ = round_trip(codec, heavy_tailed(shape))
            measured = int(codec.payload_bits(payload))
            self.assertEqual(measured, 8 * sum(len(part) for _, part in payload_bytes(payload)))
            promised = payload_bits(codec, shape)
            if promised is not None:
                self.assertEqual(measured, promised)

    @parameterized.named_parameters(AT_THE_LIMIT.items())
    def test_any_finite_tensor_comes_back_within_the_error_or_is_reported(self, codec):
        # Few shapes, since each is traced: ranks 0 to 3, sizes around the packing's groups of 8.
        shapes = st.sampled_from([(), (1,), (7,), (0, 7), (64, 1), (3, 7, 11)])
        values = npst.arrays(np.float32, shapes, elements=st.floats(-1.0, 1.0, width=32))
        ordinary = min(case_of(codec).largest, 1e15)

        @settings(max_examples=60, deadline=None, derandomize=True, database=None)
        @given(values, st.integers(-130, 127), st.integers(0, 2**31 - 1))
        @example(np.float32([1, 0, -1e-38, 0, 0, 0, 0]), 126, 0)
        @example(np.ones([64, 1], np.float32), 63, 0)
        @example(heavy_tailed([3, 7, 11]) / 16, 64, 0)
        @example(heavy_tailed([3, 7, 11]) / 16, 127, 0)
        def check(x, exponent, number):
            x = np.ldexp(x, exponent)
            largest = np.max(np.abs(x), initial=0.0)
            payload, decoded = round_trip(codec, x, np.array([number, 3], np.int32))
            self.assertEqual(decoded.shape, x.shape)
            if not codec.is_valid(payload):
                self.assertGreater(largest, ordinary, "an ordinary value was reported")
            elif x.size:
                error = np.sum((decoded.astype(np.float64) - x) ** 2)
                # Float32 rounds, and what is below 1e-15 may be lost (see `Codec`).
                rounding = x.size * (1e-15 + 1e-5 * largest.astype(np.float64)) ** 2
                self.assertLessEqual(error, 1.01 * worst_error(codec, x) + rounding)

        check()


if __name__ == "__main__":
    absltest.main()
