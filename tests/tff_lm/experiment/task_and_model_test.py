"""What a run keeps of its data, and what counts as a word in it."""

import json
import pathlib

from absl.testing import absltest

from tests.tasks import fixtures
from tff_lm.config import default_config
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


if __name__ == "__main__":
    absltest.main()
