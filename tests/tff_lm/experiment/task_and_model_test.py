import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import numpy as np
from absl.testing import absltest

from tasks.options import TaskOptions
from tasks.target_counts import training_counts
from tasks.task import make_task
from tests.tasks import fixtures
from tff_lm.config import ConfigError, default_config
from tff_lm.experiment import task_and_model


class ClientModelTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        path = fixtures.write_json_lines(self.create_tempdir().full_path)
        cache = self.create_tempdir().full_path
        self.task = make_task(
            TaskOptions("text", path, cache_dir=cache, vocabulary_size=100), progress=False
        )
        self.config = default_config()
        self.config.model.name = "lstm_tiny"

    def test_the_bias_starts_at_the_log_frequencies_of_the_training_text(self):
        self.config.model.unigram_bias = True
        model = task_and_model.client_model(self.config, self.task).model_fn()
        smoothed = training_counts(self.task) + 1
        np.testing.assert_allclose(np.exp(model.logits.bias), smoothed / smoothed.sum(), rtol=1e-5)

    def test_an_option_that_the_model_cannot_heed_is_named(self):
        self.config.model.qk_norm = True
        with self.assertRaisesRegex(ConfigError, "model.qk_norm: lstm_tiny reads tokens in order"):
            task_and_model.client_model(self.config, self.task)


if __name__ == "__main__":
    absltest.main()
