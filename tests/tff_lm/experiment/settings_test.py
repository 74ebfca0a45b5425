"""Options reach the packages that they are for."""

from absl.testing import absltest

from tff_lm.config import ConfigError, default_config
from tff_lm.experiment import settings
from tff_lm.learning.optimizers.adam import Adam
from tff_lm.learning.options import ScheduleOptions
from tff_lm.learning.registry import ALGORITHMS


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
        options = settings.learning(config, population=12)
        self.assertEqual((options.local_epochs, options.local_steps), (3, 7))
        chosen = options.algorithm
        self.assertEqual((chosen.weighting, chosen.clip_norm), ("examples", 0.5))
        self.assertEqual(options.local_schedule, ScheduleOptions("linear", decay=9))
        self.assertEqual(options.population, 12)
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
        learning = settings.learning(config)
        self.assertEqual(learning.client_schedule, ScheduleOptions(warmup=4))
        self.assertEqual(learning.server_schedule, ScheduleOptions(warmup=5))
        algorithm = ALGORITHMS["mime"](learning, ())
        self.assertEqual(algorithm.client_optimizer, Adam())
        config.algorithm.client_optimizer = "adam(epsilon=0.5)"
        config.algorithm.server_optimizer = "adam(beta_2=0.75)"
        algorithm = ALGORITHMS["mime"](settings.learning(config), ())
        self.assertEqual(algorithm.client_optimizer, Adam(epsilon=0.5))
        self.assertEqual(algorithm.optimizer, Adam(beta_1=0.6, beta_2=0.75, epsilon=1e-3))

    def test_zero_leaves_the_algorithms_own(self):
        config = default_config()
        config.algorithm.name = "fed_prox"
        own = ALGORITHMS["fed_prox"](settings.learning(config), ())
        self.assertEqual((own.server_rate, own.mu), (1.0, 0.01))
        config.algorithm.server_learning_rate = 0.125
        config.algorithm.proximal_mu = 0.5
        chosen = ALGORITHMS["fed_prox"](settings.learning(config), ())
        self.assertEqual((chosen.server_rate, chosen.mu), (0.125, 0.5))

    def test_parts_of_the_aggregator(self):
        config = default_config()
        config.aggregation.client_transforms = "clip(norm=0.5)"
        settings.aggregator(config)
        config.aggregation.client_transforms = "clip(size=0.5)"
        with self.assertRaisesRegex(ConfigError, "aggregation.client_transforms: .*'size'"):
            settings.aggregator(config)


if __name__ == "__main__":
    absltest.main()
