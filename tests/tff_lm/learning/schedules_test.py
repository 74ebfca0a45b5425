"""Learning-rate factors."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tff_lm.learning.options import ScheduleOptions
from tff_lm.learning.registry import SCHEDULES
from tff_lm.learning.schedules import build_schedule


class SchedulesTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("constant", ScheduleOptions(), [0, 9], [1, 1]),
        ("warmup", ScheduleOptions(warmup=4), [0, 1, 3, 4, 9], [0.25, 0.5, 1, 1, 1]),
        ("linear", ScheduleOptions("linear", 0, 4, 0.2), [0, 2, 4, 9], [1, 0.6, 0.2, 0.2]),
        ("cosine", ScheduleOptions("cosine", 0, 4), [0, 2, 4, 9], [1, 0.5, 0, 0]),
        ("decay", ScheduleOptions("exponential", 2, 2, 0.25), [1, 2, 3, 4], [1, 1, 0.5, 0.25]),
        ("root", ScheduleOptions("inverse_square_root", 4), [1, 4, 16], [0.5, 1, 0.5]),
    )  # fmt: skip
    def test_factors(self, options, steps, expected):
        schedule = build_schedule(options)
        np.testing.assert_allclose([schedule(tf.constant(s)) for s in steps], expected, atol=1e-6)

    @parameterized.parameters(*SCHEDULES)
    def test_factors_lie_between_zero_and_one(self, name):
        schedule = build_schedule(ScheduleOptions(name, 5, 20, 0.1))
        factors = np.array([schedule(tf.constant(s)) for s in range(60)])
        self.assertGreater(factors.min(), 0.0)
        self.assertLessEqual(factors.max(), 1.0 + 1e-6)

    def test_bad_options_are_refused(self):
        with self.assertRaisesRegex(ValueError, "Unknown schedule 'step'"):
            build_schedule(ScheduleOptions("step"))
        with self.assertRaisesRegex(ValueError, "needs a decay"):
            build_schedule(ScheduleOptions("cosine"))
        with self.assertRaisesRegex(ValueError, "final_factor above 0"):
            build_schedule(ScheduleOptions("exponential", decay=3))
        with self.assertRaisesRegex(ValueError, "not be negative"):
            build_schedule(ScheduleOptions(warmup=-1))


if __name__ == "__main__":
    absltest.main()
