from absl.testing import absltest, parameterized

from compression import make_codec
from tff_lm.planner import payloads, quality


class QualityTest(parameterized.TestCase):
    @parameterized.parameters(
        ("identity", {}, 0.0), ("drive", {}, 0.571), ("eden", {"bits": 2}, 0.133)
    )
    def test_known_errors_of_normal_values(self, name, options, error):
        found = quality.fidelity(make_codec(name, **options))
        self.assertAlmostEqual(found.error(clients=1), error, delta=0.02 * error + 1e-9)
        self.assertAlmostEqual(found.error(clients=100), error / 100, delta=0.02 * error)

    def test_bias_does_not_average_out(self):
        largest = quality.fidelity(make_codec("top_k", fraction=0.1))
        self.assertEqual(largest.error(clients=1), largest.error(clients=100))
        self.assertBetween(largest.error(clients=1), 0.4, 0.8)

    @parameterized.parameters(0.1, 0.4, 1.0)
    def test_a_random_subset_is_an_estimate_of_all(self, fraction):
        # In one dimension x = 1, decoded as c: B c / fraction with B = 1 by chance `fraction`.
        c = 0.8
        expected = fraction * (c / fraction - 1) ** 2 + (1 - fraction)
        found = quality.Fidelity(energy=c**2, bias=(1 - c) ** 2, noise=0.0)
        for policy in ("per_round", "per_client_per_round", "rolling"):
            self.assertAlmostEqual(found.error(1, policy, fraction), expected)

    def test_only_subsets_of_each_client_s_own_average_out_in_a_round(self):
        exact = quality.Fidelity(energy=1.0, bias=0.0, noise=0.0)
        self.assertAlmostEqual(exact.error(10, "per_client_per_round", 0.5), 0.1)
        self.assertAlmostEqual(exact.error(10, "per_round", 0.5), 1.0)

    def test_a_fixed_subset_loses_the_rest(self):
        exact = quality.Fidelity(energy=1.0, bias=0.0, noise=0.0)
        self.assertAlmostEqual(exact.error(10, "fixed", 0.4), 0.6)
        self.assertEqual(exact.error(10, "fixed", 1.0), 0.0)


class PayloadsTest(absltest.TestCase):
    def test_large_variables_are_coded_and_small_ones_are_not(self):
        bits = payloads.payload_bits([(64, 64), (8,)], make_codec("uniform", bits=4), 1024)
        self.assertEqual(bits.tolist(), [64 * 64 * 4 + 2 * 32, 8 * 32])

    def test_sizes_that_depend_on_the_values_are_refused(self):
        codec = make_codec("entropy", inner="terngrad", min_levels=1)
        with self.assertRaisesRegex(ValueError, "depends on what it encodes"):
            payloads.payload_bits([(64, 64)], codec, 1)


if __name__ == "__main__":
    absltest.main()
