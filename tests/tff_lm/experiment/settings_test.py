"""Options reach the packages that they are for."""

from absl.testing import absltest

from tff_lm.config import default_config
from tff_lm.experiment import settings
from tff_lm.learning.schedules import ScheduleOptions


class SettingsTest(absltest.TestCase):
    def test_local_work(self):
        config = default_config()
        config.federated.local_epochs = 3
        config.federated.local_steps = 7
        config.federated.examples_per_client = 40
        config.algorithm.weighting = "examples"
        config.algorithm.clip_norm = 0.5
        config.local_schedule.name = "linear"
        config.local_schedule.decay = 9
        local = settings.algorithm(config).local
        self.assertEqual((local.epochs, local.steps), (3, 7))
        self.assertEqual((local.weighting, local.clip_norm), ("examples", 0.5))
        self.assertEqual(local.schedule, ScheduleOptions("linear", decay_steps=9))
        self.assertEqual(settings.training_batches(config).examples_per_client, 40)

    def test_optimizers(self):
        config = default_config()
        config.algorithm.name = "mime"
        config.algorithm.client_optimizer = "adam"
        config.algorithm.client_learning_rate = 0.25
        config.algorithm.client_momentum = 0.8
        config.algorithm.server_momentum = 0.7
        config.algorithm.server_beta_1 = 0.6
        config.algorithm.server_beta_2 = 0.5
        config.client_schedule.warmup = 4
        config.server_schedule.warmup = 5
        options = settings.algorithm(config)
        self.assertEqual((options.name, options.client_optimizer), ("mime", "adam"))
        self.assertEqual((options.client_learning_rate, options.client_momentum), (0.25, 0.8))
        server = (options.server_momentum, options.server_beta_1, options.server_beta_2)
        self.assertEqual(server, (0.7, 0.6, 0.5))
        self.assertEqual(options.client_round_schedule, ScheduleOptions(warmup_steps=4))
        self.assertEqual(options.server_schedule, ScheduleOptions(warmup_steps=5))

    def test_zero_leaves_the_algorithms_own(self):
        config = default_config()
        names = ("server_learning_rate", "server_epsilon", "proximal_mu")
        for name in names:
            self.assertIsNone(getattr(settings.algorithm(config), name))
            config.algorithm[name] = 0.125
            self.assertEqual(getattr(settings.algorithm(config), name), 0.125)


if __name__ == "__main__":
    absltest.main()
