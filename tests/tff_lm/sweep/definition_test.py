from absl.testing import absltest

from tff_lm.sweep import grid
from tff_lm.sweep.definition import trial_name


class GridTest(absltest.TestCase):
    def test_the_product_is_named_by_what_varies(self):
        runs = grid(
            "fed_adam",
            {
                "algorithm.name": ("fed_adam",),
                "algorithm.client_learning_rate": (0.1, 1.0),
                "federated.local_epochs": (1, 2),
            },
        )
        self.assertLen(runs, 4)
        self.assertEqual(
            runs["fed_adam-client_learning_rate_1-local_epochs_2"],
            {
                "algorithm.name": "fed_adam",
                "algorithm.client_learning_rate": 1.0,
                "federated.local_epochs": 2,
            },
        )

    def test_keys_with_one_last_part_are_named_in_full(self):
        runs = grid("both", {"upload.bits": (4, 8), "download.bits": (8, 16)})
        self.assertIn("both-upload.bits_4-download.bits_16", runs)
        self.assertLen(runs, 4)

    def test_nothing_to_vary_is_one_run(self):
        self.assertEqual(grid("one", {"seed": (3,)}), {"one": {"seed": 3}})


class TrialNameTest(absltest.TestCase):
    def test_a_trial_is_named_by_what_was_drawn(self):
        drawn = {
            "algorithm.client_learning_rate": 0.0316228,
            "model.name": "lstm_small",
            "upload.codec": "drive",
            "download.codec": "eden(bits=2)",
            "federated.local_epochs": 2,
        }
        self.assertEqual(
            trial_name("trial_007", drawn),
            "trial_007: client_learning_rate=0.0316, model.name=lstm_small, upload.codec=drive, "
            "download.codec=eden(bits=2), local_epochs=2",
        )


if __name__ == "__main__":
    absltest.main()
