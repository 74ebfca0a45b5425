import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from compression import bit_packing

COUNTS = st.sampled_from([0, 1, 7, 8, 9, 63, 64, 65, 127, 500, 512])


def random_values(count, limit, seed=0):
    values = np.random.default_rng(seed).integers(0, limit, count)
    return values.astype(np.uint8 if limit <= 256 else np.int32)


class PackingTest(parameterized.TestCase):
    @settings(max_examples=150, deadline=None, derandomize=True, database=None)
    @given(COUNTS, st.integers(1, 24), st.integers(0, 99))
    def test_round_trip_of_any_width_in_the_promised_bytes(self, count, bits, seed):
        values = random_values(count, 2**bits, seed)
        packed = bit_packing.pack(tf.constant(values), bits)
        self.assertEqual(packed.dtype, tf.uint8)
        self.assertEqual(packed.shape[0], bit_packing.packed_size(count, bits))
        np.testing.assert_array_equal(bit_packing.unpack(packed, count, bits), values)

    @settings(max_examples=80, deadline=None, derandomize=True, database=None)
    @given(COUNTS, st.integers(2, 300), st.integers(0, 99))
    def test_round_trip_of_any_number_of_levels(self, count, num_levels, seed):
        levels = random_values(count, num_levels, seed)
        packed = bit_packing.pack_levels(tf.constant(levels), num_levels)
        self.assertEqual(packed.shape[0], bit_packing.packed_levels_size(count, num_levels))
        np.testing.assert_array_equal(bit_packing.unpack_levels(packed, count, num_levels), levels)

    @parameterized.parameters(2, 3, 4, 5, 6, 7, 16, 17, 256)
    def test_digits_at_their_largest(self, base):
        digits = np.full([100], base - 1, np.uint8)
        packed = bit_packing.pack_digits(tf.constant(digits), base)
        np.testing.assert_array_equal(bit_packing.unpack_digits(packed, 100, base), digits)

    @parameterized.parameters((1, 125), (3, 375), (4, 500), (8, 1000), (12, 1500), (16, 2000))
    def test_a_thousand_values_of_b_bits(self, bits, size):
        self.assertEqual(bit_packing.packed_size(1000, bits), size)

    def test_five_ternary_values_a_byte(self):
        self.assertEqual(bit_packing.packed_levels_size(1000, 3), 200)

    def test_layout_against_numpy(self):
        # 64 values of 3 bits: column c of the eight planes is one little-endian 24-bit group.
        values = random_values(64, 8)
        planes = values.reshape(8, 8).astype(np.uint32)
        groups = sum(planes[i] << (3 * i) for i in range(8))
        expected = np.stack([(groups >> (8 * j)) & 255 for j in range(3)]).reshape(-1)
        np.testing.assert_array_equal(bit_packing.pack(tf.constant(values), 3), expected)

    @parameterized.parameters(0, 32)
    def test_impossible_width(self, bits):
        with self.assertRaisesRegex(ValueError, f"bits = {bits}"):
            bit_packing.pack(tf.constant([1, 2, 3]), bits)


if __name__ == "__main__":
    absltest.main()
