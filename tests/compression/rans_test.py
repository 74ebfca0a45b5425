import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from compression import rans


def entropy_bits(symbols):
    share = np.bincount(symbols, minlength=256) / len(symbols)
    share = share[share > 0]
    return -len(symbols) * np.sum(share * np.log2(share))


def draw(name, count):
    rng = np.random.default_rng(0)
    return {
        "uniform": lambda: rng.integers(0, 256, count),
        "gaussian": lambda: np.clip(rng.normal(128, 3, count), 0, 255),
        "mostly_zero": lambda: rng.random(count) < 0.01,
        "constant": lambda: np.full(count, 17),
        "one_of_each": lambda: np.where(np.arange(count) < 256, np.arange(count) % 256, 9),
    }[name]().astype(np.uint8)


@tf.function
def encode(symbols):
    return rans.encode(symbols)


class RansTest(parameterized.TestCase):
    @parameterized.product(
        name=["uniform", "gaussian", "mostly_zero", "constant", "one_of_each"],
        count=[1, 300, 100_003],
    )
    def test_decodes_to_what_was_coded_near_the_entropy_bound(self, name, count):
        symbols = draw(name, count)
        coded = encode(tf.constant(symbols))
        decoded = tf.function(lambda: rans.decode(coded, count))()
        np.testing.assert_array_equal(decoded, symbols)
        if count > 100_000:
            size = 16 * len(coded.words) + 32 * len(coded.states)
            lanes = len(coded.states)
            # A lane's last state holds what its words do not, and up to 16 bits that carry nothing;
            # frequencies of whole 2**-15 cost up to 0.01 bits a symbol.
            bound = 1.001 * entropy_bits(symbols) + 0.01 * count + 32 * lanes
            self.assertLessEqual(size, bound)

    def test_frequencies_sum_to_their_total_and_miss_no_symbol(self):
        for name in ("uniform", "gaussian", "mostly_zero", "constant", "one_of_each"):
            symbols = draw(name, 100_003)
            frequencies = encode(tf.constant(symbols)).frequencies.numpy()
            self.assertEqual(frequencies.astype(int).sum(), 2**15)
            np.testing.assert_array_equal(frequencies > 0, np.bincount(symbols, minlength=256) > 0)


if __name__ == "__main__":
    absltest.main()
