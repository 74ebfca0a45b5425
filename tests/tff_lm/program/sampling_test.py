from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from tff_lm.program import sampling

IDS = [f"client{i}" for i in range(50)]


class SamplingTest(parameterized.TestCase):
    @settings(max_examples=50, deadline=None)
    @given(
        count=st.integers(1, 40),
        size=st.integers(0, 40),
        seed=st.integers(0, 2**40),
        round_number=st.integers(1, 10**6),
        shuffle=st.randoms(),
    )
    def test_a_cohort_is_a_function_of_seed_and_round(
        self, count, size, seed, round_number, shuffle
    ):
        ids = IDS[:count]
        size = min(size, count)
        first = sampling.cohort(ids, size, seed=seed, round_number=round_number)
        shuffle.shuffle(ids)
        second = sampling.cohort(ids, size, seed=seed, round_number=round_number)
        self.assertEqual(first, second)
        self.assertLen(set(first), size)
        self.assertContainsSubset(first, ids)

    def test_rounds_and_seeds_draw_differently(self):
        draws = {
            tuple(sampling.cohort(IDS, 5, seed=seed, round_number=number))
            for seed in range(3)
            for number in range(1, 20)
        }
        self.assertLen(draws, 57)

    def test_clients_are_drawn_equally_often_in_the_long_run(self):
        counts = dict.fromkeys(IDS, 0)
        for number in range(1, 2001):
            for client in sampling.cohort(IDS, 5, seed=1, round_number=number):
                counts[client] += 1
        # Binomial(2000, 0.1): mean 200, standard deviation 13.4; five of them on either side.
        self.assertBetween(min(counts.values()), 133, 267)
        self.assertBetween(max(counts.values()), 133, 267)

    def test_the_draw_is_the_same_in_every_version(self):
        # A change here would break the resuming of every run begun before it.
        self.assertEqual(
            sampling.cohort(IDS, 4, seed=3, round_number=7),
            ["client44", "client35", "client5", "client29"],
        )

    def test_too_few_clients_are_refused(self):
        with self.assertRaisesRegex(ValueError, "cannot draw 6 different clients out of 5"):
            sampling.cohort(IDS[:5], 6, seed=0, round_number=1)

    def test_each_client_is_a_newcomer_once(self):
        rounds = [sampling.cohort(IDS, 20, seed=5, round_number=n) for n in range(1, 12)]
        attendance = sampling.Attendance(IDS, 20, seed=5)
        counts = [attendance.newcomers(number) for number in range(1, 12)]
        self.assertEqual(counts[0], 20)
        self.assertEqual(sum(counts), len(set().union(*rounds)))
        self.assertEqual(counts[1], len(set(rounds[1]) - set(rounds[0])))
        # A resumed run asks for later rounds only, in any order, and gets the same answers.
        resumed = sampling.Attendance(IDS[::-1], 20, seed=5)
        self.assertEqual([resumed.newcomers(number) for number in (9, 2)], [counts[8], counts[1]])

    def test_the_evaluation_sample_is_fixed_and_at_most_everybody(self):
        sample = sampling.evaluation_sample(IDS, 10, seed=0)
        self.assertEqual(sample, sampling.evaluation_sample(IDS[::-1], 10, seed=0))
        self.assertNotEqual(sample, sampling.evaluation_sample(IDS, 10, seed=1))
        self.assertSameElements(sampling.evaluation_sample(IDS, 99, seed=0), IDS)


if __name__ == "__main__":
    absltest.main()
