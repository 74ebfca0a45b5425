"""What a run keeps of its data, what counts as a word in it, and the model as clients have it."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import json
import pathlib

import numpy as np
from absl.testing import absltest

from tasks.options import TaskOptions
from tasks.target_counts import training_counts
from tasks.task import make_task
from tests.tasks import fixtures
from tff_lm.config import ConfigError, default_config
from tff_lm.experiment import settings, task_and_model
from tff_lm.program.contracts import Clients
from tff_lm.run_folder.workdir import Workdir


class TaskAndModelTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.workdir = Workdir(pathlib.Path(self.create_tempdir().full_path))

    def prepared(self, text, extra=""):
        """A configuration of a task in which everybody writes `text`, and that task."""
        lines = [
            json.dumps({"user": user, "text": text}) for user in fixtures.users_of_every_split(1)
        ]
        config = default_config()
        config.task.name = "text"
        config.task.path = self.create_tempfile("m.jsonl", "\n".join(lines) + extra).full_path
        config.task.cache_dir = self.create_tempdir().full_path
        config.task.vocabulary_size = 30
        config.federated.max_length = 5
        config.model.name = "transformer_tiny"
        return config, settings.prepared_task(config)

    def keep(self, extra):
        config, task = self.prepared("a b", extra)
        found = task_and_model.Ingredients(config, task, Clients([], [], []), None)
        task_and_model.keep_files(found, self.workdir)

    def test_the_list_of_unreadable_rows_lies_beside_the_run(self):
        self.keep("\nnope\n{}")
        lines = self.workdir.bad_rows.read_text().splitlines()
        self.assertStartsWith(lines[0], "m.jsonl:4: not JSON")
        self.assertEqual(lines[1], "m.jsonl:5: no 'user'")
        self.assertTrue(self.workdir.vocabulary.exists())

    def test_where_there_are_none_there_is_no_list(self):
        self.keep("")
        self.assertFalse(self.workdir.bad_rows.exists())

    def test_rows_are_as_long_as_the_model_reads(self):
        _, task = self.prepared("a a a a a a")
        self.assertEqual(task.statistics["max_length"], 5)
        self.assertEqual(set(task.client_sizes("train").values()), {2})

    def test_no_piece_starts_a_word_where_words_are_not_separated(self):
        for text, some in (("a b", True), ("今天", False)):
            config, task = self.prepared(text)
            self.assertEqual(any(task_and_model.client_model(config, task).starts_word), some)


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
