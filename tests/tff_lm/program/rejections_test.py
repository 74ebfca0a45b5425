import numpy as np
from absl.testing import absltest, parameterized

from tff_lm.program import rejections
from tff_lm.run_folder.errors import RunError


def metrics(rejected, *, clients=4, gradient=None, lost=0, gradient_lost=0):
    work = {"per_client": np.zeros([clients, 2])}
    if gradient is not None:
        work["shared_aggregator"] = {
            "nonfinite_clients": np.int32(gradient),
            "clients": np.int32(clients),
        }
        work["shared_non_finite"] = np.int32(gradient_lost)
    return {
        "client_work": work,
        "aggregator": {"nonfinite_clients": np.int32(rejected), "clients": np.int32(clients)},
        "finalizer": {"update_non_finite": np.int32(lost)},
    }


class RejectionsTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("none", [metrics(0)], 0.0, 0.0),
        ("of_the_aggregator", [metrics(2)], 1.0, 2.0),
        ("of_gradients", [metrics(1, gradient=3)], 1.0, 3.0),
        ("of_the_first_pass", [metrics(0, gradient=2), metrics(1, gradient=0)], 1.0, 2.0),
        ("a_lost_mean_loses_all", [metrics(1, clients=4, lost=1)], 1.0, 5.0),
        (
            "a_lost_mean_gradient_loses_all",
            [metrics(0, gradient=1, gradient_lost=1), metrics(0, gradient=0)],
            0.0,
            5.0,
        ),
    )
    def test_counts(self, passes, of_rows, expected):
        self.assertEqual(rejections.clients(passes, of_rows), expected)

    def test_central_training_has_rows_alone(self):
        passes = [{"client_work": {}, "aggregator": {"upload_bits": 0}}]
        self.assertEqual(rejections.clients(passes, 1.0), 1.0)

    @parameterized.parameters(
        ([(4, 4)] * 3, True),
        ([(4, 0), (4, 4), (4, 4), (4, 4)], True),
        ([(4, 4)] * 2, False),
        ([(4, 4), (4, 3), (4, 4)], False),
        ([(0, 0)] * 3, False),
    )
    def test_a_run_whose_every_client_is_rejected_ends(self, rounds, ends):
        rows = [{"round": 0}, *({"clients": c, "non_finite_clients": n} for c, n in rounds)]
        if not ends:
            rejections.check_progress(rows)
            return
        with self.assertRaisesRegex(RunError, "lower --config.algorithm.client_learning_rate"):
            rejections.check_progress(rows)


if __name__ == "__main__":
    absltest.main()
