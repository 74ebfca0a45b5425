import os
import pathlib

import numpy as np
from absl.testing import absltest

from tasks.options import TaskOptions
from tasks.target_counts import training_counts
from tasks.task import Task, make_task
from tests.tasks import fixtures


class TargetCountsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        path = fixtures.write_json_lines(self.create_tempdir().full_path)
        self.cache = self.create_tempdir().full_path
        self.options = TaskOptions("text", path, cache_dir=self.cache, vocabulary_size=100)
        self.task: Task = make_task(self.options, progress=False)

    def test_are_those_of_the_training_text(self):
        counts = training_counts(self.task)
        train = self.task.statistics["splits"]["train"]
        self.assertEqual(counts.shape, (100,))
        self.assertEqual(counts.sum(), train["tokens"])
        self.assertEqual(counts[2], train["examples"])
        self.assertEqual(counts[:2].tolist(), [0, 0])

    def test_are_counted_once(self):
        counts = training_counts(self.task)
        os.remove(self.task.data_path)
        np.testing.assert_array_equal(training_counts(self.task), counts)
        self.assertLen(list(pathlib.Path(self.cache).rglob("*counts*")), 1)

    def test_leave_the_prepared_files_whole(self):
        training_counts(self.task)
        before = os.stat(self.task.data_path).st_ino
        self.assertEqual(make_task(self.options, progress=False).folder, self.task.folder)
        self.assertEqual(os.stat(self.task.data_path).st_ino, before)


if __name__ == "__main__":
    absltest.main()
