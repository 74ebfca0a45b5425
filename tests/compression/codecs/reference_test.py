"""Codecs against NumPy versions written from their papers, given the same random numbers."""

import numpy as np
import scipy.linalg
import scipy.stats
import tensorflow as tf
from absl.testing import absltest, parameterized

from compression import bit_packing, make_codec, randomness

SEED = tf.constant([21, 22])


def tensor(size=4096, seed=0):
    return np.random.default_rng(seed).standard_t(5, size).astype(np.float32)


def uniform_noise(guard, dtype, count=4096):
    noise = randomness.dither(SEED, count, guard, dtype)
    return (noise.offset + noise.unit * noise.integers).numpy().astype(np.float64)


def quantized(codec, x):
    levels, side = codec.quantize(tf.constant(x), SEED)
    return levels.numpy().astype(int), {name: part.numpy() for name, part in side.items()}


def decoded(codec, x):
    payload = codec.encode(tf.constant(x), SEED)
    return codec.decode(payload, x.shape, SEED).numpy()


class UniformTest(parameterized.TestCase):
    @parameterized.parameters(1, 2, 3, 4, 7, 8, 10)
    def test_nearest(self, bits):
        x = tensor()
        lo, hi = x.min().astype(np.float64), x.max().astype(np.float64)
        step = (hi - lo) / (2**bits - 1)
        expected = lo + step * np.rint((x - lo) / step)
        actual = decoded(make_codec("uniform", bits=bits, stochastic=False), x)
        # A value in the middle of two levels may go either way in float32.
        off = np.abs(actual - expected) > step / 100
        self.assertLess(off.mean(), 1e-3)

    @parameterized.parameters(1, 4, 8)
    def test_stochastic(self, bits):
        x = tensor()
        lo = x.min().astype(np.float64)
        step = (x.max() - lo) / (2**bits - 1)
        noise = uniform_noise(2.0 ** (bits - 22), tf.uint8)
        levels, side = quantized(make_codec("uniform", bits=bits), x)
        np.testing.assert_allclose(side["range"], [[lo, step]], rtol=1e-6)
        expected = np.floor((x - lo) / step + noise)
        self.assertLess(np.mean(levels != expected), 1e-3)

    @parameterized.parameters(*range(1, 17))
    def test_values_on_the_grid_are_exact_for_any_seed(self, bits):
        levels = np.random.default_rng(bits).integers(0, 2**bits, 2000)
        levels[:2] = 0, 2**bits - 1
        x = (levels * 0.25 - 3.0).astype(np.float32)
        for stochastic in (True, False):
            codec = make_codec("uniform", bits=bits, stochastic=stochastic)
            np.testing.assert_array_equal(decoded(codec, x), x)

    def test_every_coordinate_is_unbiased(self):
        x = np.linspace(0, 1, 33).astype(np.float32)
        codec = make_codec("uniform", bits=2)

        @tf.function
        def run(seeds):
            def one(seed):
                return codec.decode(codec.encode(tf.constant(x), seed), x.shape, seed)

            return tf.map_fn(one, seeds, fn_output_signature=tf.TensorSpec([33]))

        count = 20_000
        seeds = np.stack([np.arange(count), np.zeros(count)], 1).astype(np.int32)
        values = run(tf.constant(seeds)).numpy().astype(np.float64)
        standard_error = values.std(0) / np.sqrt(count) + 1e-7
        self.assertLess(np.max(np.abs(values.mean(0) - x) / standard_error), 5.0)

    def test_rows_have_their_own_range(self):
        x = np.stack([np.linspace(0, 1, 256), np.linspace(-500, 500, 256)]).astype(np.float32)
        codec = make_codec("uniform", bits=8, stochastic=False, per_row=True)
        np.testing.assert_allclose(decoded(codec, x), x, rtol=1e-5, atol=1e-6)


class StochasticTest(absltest.TestCase):
    def test_terngrad(self):
        x = tensor()
        noise = uniform_noise(2.0**-20, tf.uint16)
        scale = np.abs(x).max()
        levels, side = quantized(make_codec("terngrad"), x)
        self.assertEqual(side["scale"], scale)
        self.assertLess(np.mean(levels != np.floor(x / scale + 1 + noise)), 1e-3)
        self.assertEqual(set(np.unique(decoded(make_codec("terngrad"), x) / scale)), {-1, 0, 1})

    def test_qsgd(self):
        x = tensor()
        noise = uniform_noise(2.0**-15, tf.uint16).reshape(8, 512)
        rows = x.reshape(8, 512).astype(np.float64)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        expected = np.floor(7 * rows / norms + noise) / 7 * norms
        actual = decoded(make_codec("qsgd", bits=4, bucket=512), x)
        off = np.abs(actual - expected.reshape(-1)) > 1e-4
        self.assertLess(off.mean(), 1e-3)


class RotationCodecsTest(parameterized.TestCase):
    @parameterized.parameters("unbiased", "least_squares")
    def test_drive(self, scale):
        x = tensor(8192)
        signs = randomness.random_signs(SEED, 4096).numpy()
        matrix = scipy.linalg.hadamard(4096) / 64
        blocks = x.reshape(2, 4096)
        rotated = (blocks * signs) @ matrix
        l1 = np.abs(rotated).sum(1, keepdims=True)
        squares = (blocks**2).sum(1, keepdims=True)
        factor = squares / l1 if scale == "unbiased" else l1 / 4096
        expected = ((factor * np.sign(rotated)) @ matrix) * signs
        actual = decoded(make_codec("drive", scale=scale), x)
        np.testing.assert_allclose(actual, expected.reshape(-1), atol=1e-4)

    @parameterized.parameters((1, 1.001), (2, 1.005), (3, 1.005), (4, 1.01), (8, 1.08))
    def test_eden_is_near_the_best_quantizer(self, bits, excess):
        distortion = _lloyd_max_distortion(bits)
        x = np.random.default_rng(3).normal(size=4096 * 256).astype(np.float32)
        error = np.sum((decoded(make_codec("eden", bits=bits), x) - x) ** 2) / np.sum(x**2)
        best = distortion / (1 - distortion)
        self.assertBetween(error, 0.97 * best, 1.03 * excess * best)

    @parameterized.parameters(1, 2, 4, 8)
    def test_eden_keeps_the_component_along_the_tensor(self, bits):
        x = tensor(10_000)
        product = np.dot(decoded(make_codec("eden", bits=bits), x).astype(np.float64), x)
        self.assertAlmostEqual(product / np.sum(x.astype(np.float64) ** 2), 1.0, delta=1e-4)

    @parameterized.parameters("drive", "rotated")
    def test_noise_stays_near_the_values_that_cause_it(self, name):
        x = tensor(3 * 4096)
        x[4096:8192] *= 1e-6  # as rows of rare words beside those of frequent ones
        error = (decoded(make_codec(name), x) - x)[4096:8192]
        self.assertLess(np.linalg.norm(error), np.linalg.norm(x[4096:8192]))

    def test_rotated_uniform_beats_uniform_on_outliers(self):
        x = tensor(8192)
        x[17] = 300.0
        plain, rotated = make_codec("uniform", bits=4), make_codec("rotated")
        errors = [np.sum((decoded(codec, x) - x) ** 2) for codec in (plain, rotated)]
        self.assertLess(errors[1], errors[0] / 10)


class ScaledTest(parameterized.TestCase):
    def test_noise_is_in_proportion_to_row_and_column(self):
        rng = np.random.default_rng(0)
        rows, columns = 10.0 ** rng.uniform(-3, 0, [64, 1]), 10.0 ** rng.uniform(-3, 0, [128])
        x = (tensor(64 * 128).reshape(64, 128) * rows * columns).astype(np.float32)
        errors = (decoded(make_codec("scaled", inner="drive"), x) - x) / (rows * columns)
        for axis in (0, 1):  # 0.571 of the energy, in every row and in every column
            share = np.sum(errors**2, axis) / np.sum((x / rows / columns) ** 2, axis)
            self.assertBetween(share.min(), 0.2, 0.6)
            self.assertBetween(share.max(), 0.5, 1.5)

    def test_rows_and_columns_of_zeros_stay_zeros(self):
        x = tensor(4096).reshape(64, 64)
        x[5], x[:, 7] = 0.0, 0.0
        y = decoded(make_codec("scaled"), x)
        np.testing.assert_array_equal(y[5], 0.0)
        np.testing.assert_array_equal(y[:, 7], 0.0)


class SparseTest(parameterized.TestCase):
    def test_top_k(self):
        x = tensor(5000).reshape(50, 100)
        kept = np.abs(x) >= np.sort(np.abs(x).reshape(-1))[-100]
        np.testing.assert_array_equal(
            decoded(make_codec("top_k", fraction=0.02), x), np.where(kept, x, 0)
        )

    @parameterized.parameters(4096, 4099)
    def test_random_k_keeps_one_of_each_stride_scaled_by_its_length(self, count):
        x = tensor(count)
        values = decoded(make_codec("random_k", fraction=0.1), x)
        for start in range(0, count, 10):
            stride = slice(start, start + 10)
            (kept,) = np.flatnonzero(values[stride])
            length = len(x[stride])
            self.assertAlmostEqual(values[stride][kept], length * x[stride][kept], places=3)

    def test_random_k_of_everything_is_exact(self):
        x = tensor(1000)
        np.testing.assert_array_equal(decoded(make_codec("random_k", fraction=1.0), x), x)


class EntropyTest(parameterized.TestCase):
    @parameterized.parameters("qsgd", "terngrad", "uniform", "eden")
    def test_same_values_as_its_inner_codec_in_fewer_bits(self, name):
        inner = make_codec(name)
        codec = make_codec("entropy", inner=inner)
        x = tensor(40_000)

        @tf.function
        def run(x):
            payload = codec.encode(x, SEED)
            decoded = codec.decode(payload, x.shape, SEED)
            return decoded, codec.payload_bits(payload)

        values, bits = run(tf.constant(x))
        np.testing.assert_allclose(values, decoded(inner, x), atol=1e-5)
        levels, side = quantized(inner, x)
        share = np.bincount(levels) / len(levels)
        share = share[share > 0]
        entropy = -len(levels) * np.sum(share * np.log2(share))
        table, floats = 256 * 16, 32 * sum(part.size for part in side.values())
        lanes = 32 * len(
            bit_packing.pack_digits(tf.zeros([len(levels)], tf.uint8), inner.num_levels)
        )
        self.assertLess(int(bits), 1.02 * entropy + table + floats + 1.1 * lanes / 1024 + 32)
        self.assertGreater(int(bits), entropy)

    def test_small_tensors_are_packed_at_fixed_width(self):
        codec = make_codec("entropy", inner="terngrad")
        payload = codec.encode(tf.constant(tensor(2000)), SEED)
        self.assertEqual(int(codec.payload_bits(payload)), 400 * 8 + 32)


def _lloyd_max_distortion(bits):
    """Least distortion of a standard normal at 2**bits levels, by Lloyd's algorithm."""
    normal = scipy.stats.norm
    levels = normal.ppf((np.arange(2**bits) + 0.5) / 2**bits) * 1.5
    for _ in range(20_000 if bits > 4 else 2000):
        edges = np.concatenate([[-np.inf], (levels[1:] + levels[:-1]) / 2, [np.inf]])
        share = np.diff(normal.cdf(edges))
        levels = -np.diff(normal.pdf(edges)) / share
    return 1 - np.sum(share * levels**2)


if __name__ == "__main__":
    absltest.main()
