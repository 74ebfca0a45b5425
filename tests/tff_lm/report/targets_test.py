import math
import pathlib

import hypothesis
from absl.testing import absltest
from hypothesis import strategies as st

from tff_lm.report import targets
from tff_lm.report.experiments import Experiment
from tff_lm.report.runs import Point, Run


def point(number, perplexity):
    return Point(number, perplexity, 10.0 * number, 20.0 * number, 0.5 * number)


def experiment(*curves):
    return Experiment("a", tuple(Run("a", pathlib.Path("a"), {"seed": 0}, c) for c in curves))


class TargetsTest(absltest.TestCase):
    def test_half_way_in_the_logarithm(self):
        found = targets.reach([point(10, 400.0), point(20, 100.0)], 200.0)
        self.assertEqual(found.token_perplexity, 200.0)
        self.assertAlmostEqual(found.round, 15.0)
        self.assertAlmostEqual(found.upload_bytes, 150.0)
        self.assertAlmostEqual(found.download_bytes, 300.0)
        self.assertAlmostEqual(found.seconds, 7.5)

    @hypothesis.given(
        rate=st.floats(0.001, 0.2), target=st.floats(20.0, 999.0), every=st.integers(1, 50)
    )
    def test_exact_where_the_logarithm_is_linear(self, rate, target, every):
        rounds = range(0, 5000, every)
        curve = [point(number, 1000.0 * math.exp(-rate * number)) for number in rounds]
        found = targets.reach(curve, target)
        wanted = math.log(1000.0 / target) / rate
        if wanted > rounds[-1]:
            self.assertIsNone(found)
        else:
            self.assertAlmostEqual(found.round, wanted, delta=1e-6 * max(1.0, wanted))

    def test_the_first_crossing_counts(self):
        curve = [point(0, 300.0), point(1, 100.0), point(2, 300.0), point(3, 90.0)]
        self.assertEqual(targets.reach(curve, 100.0), point(1, 100.0))

    def test_a_warm_start_is_there_at_once(self):
        self.assertEqual(targets.reach([point(0, 90.0), point(5, 80.0)], 100.0).round, 0)

    def test_not_reached(self):
        self.assertIsNone(targets.reach([point(0, 300.0), point(5, 100.5)], 100.0))
        self.assertIsNone(targets.reach([], 100.0))

    def test_mean_over_the_seeds_that_did(self):
        fast = (point(0, 200.0), point(4, 100.0))
        slow = (point(0, 200.0), point(8, 100.0))
        never = (point(0, 200.0), point(9, 150.0))
        found = targets.reach_all(experiment(fast, slow, never), 100.0)
        self.assertEqual(found.seeds, 2)
        self.assertEqual(found.point.round, 6.0)
        nobody = targets.reach_all(experiment(never), 100.0)
        self.assertEqual(nobody, targets.Reached(None, 0))

    def test_the_end_of_the_worst_seed_is_reached_by_all(self):
        better, worse = (point(0, 200.0), point(4, 90.0)), (point(0, 200.0), point(4, 100.0))
        found = targets.end_of(experiment(better, worse))
        self.assertEqual(found, targets.Target(100.0, ", where “a” ended"))
        self.assertEqual(targets.reach_all(experiment(better, worse), found.perplexity).seeds, 2)


if __name__ == "__main__":
    absltest.main()
