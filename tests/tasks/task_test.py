import contextlib
import dataclasses
import functools
import itertools
import os
import sqlite3
import subprocess
import sys
import textwrap
from unittest import mock

import tensorflow as tf
from absl.testing import absltest

from tasks import client_store, preparation, report
from tasks.corpus import Corpus, read_in_memory
from tasks.errors import TaskError
from tasks.options import TaskOptions
from tasks.registry import CORPORA
from tasks.splitting import split_of
from tasks.task import load_task, make_task
from tests.tasks import fixtures

_SECOND_START = textwrap.dedent("""
    import sys
    from tasks.options import TaskOptions
    from tasks.task import make_task

    task = make_task(
        TaskOptions("text", sys.argv[1], cache_dir=sys.argv[2], vocabulary_size=100)
    )
    task.client_ids("train")
    sys.exit("tensorflow" in sys.modules)
""")


class TaskTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path
        self.cache_dir = self.create_tempdir().full_path
        self.path = fixtures.write_json_lines(self.folder)

    def make(self, path=None, **options):
        arguments = {"vocabulary_size": 100, "path": path or self.path} | options
        cut = {name: arguments.pop(name) for name in ("seed", "max_length") if name in arguments}
        task = TaskOptions("text", cache_dir=self.cache_dir, **arguments)
        return make_task(task, **cut, progress=False)

    def test_clients_vocabulary_and_statistics(self):
        task = self.make()
        self.assertEqual(task.name, "text")
        self.assertEqual(task.vocabulary.size, 100)
        self.assertTrue(os.path.isabs(task.data_path))
        for split in ("train", "validation", "test"):
            clients = task.client_ids(split)
            self.assertLen(clients, 2)
            self.assertEqual(clients, sorted(clients))
            self.assertEqual(task.client_sizes(split), dict.fromkeys(clients, 5))
            counts = task.statistics["splits"][split]
            self.assertEqual((counts["clients"], counts["examples"]), (2, 10))
            # Each sentence's [EOS] is a target, and each word at least one.
            self.assertGreaterEqual(counts["tokens"], counts["words"] + 10)
        self.assertEqual(task.statistics["vocabulary_hash"], task.vocabulary.hash)

    def test_longest_first_counts_what_a_round_draws(self):
        path = os.path.join(self.folder, "sizes.sqlite")
        short, long = [1, 7, 2], [1, *[7] * 40, 2]
        clients = {"many": [short] * 10, "long": [long] * 2, "one": [short], "none": []}
        client_store.write(path, (("train", name, rows) for name, rows in clients.items()))
        task = dataclasses.replace(self.make(), data_path=path)
        order = functools.partial(task.longest_first, "train", sorted(clients))
        self.assertEqual(order(examples=100), ["many", "long", "one", "none"])
        self.assertEqual(order(examples=2), ["long", "many", "one", "none"])

    def test_stored_examples_are_the_sentences(self):
        task = self.make()
        (first, _) = fixtures.users_of_every_split(2)[:2]
        with contextlib.closing(sqlite3.connect(task.data_path)) as connection:
            query = "SELECT serialized_example_proto FROM examples WHERE client_id = ?"
            rows = [row for (row,) in connection.execute(query, (first,))]
        features = [tf.train.Example.FromString(row).features.feature for row in rows]
        tokens = [list(each[client_store.TOKENS].int64_list.value) for each in features]
        self.assertEqual([ids[0] for ids in tokens], [1] * 5)
        self.assertEqual([ids[-1] for ids in tokens], [2] * 5)
        texts = [task.vocabulary.decode(ids) for ids in tokens]
        self.assertEqual(texts, fixtures.sentences(5, seed=0))

    def test_vocabulary_is_learned_from_training_clients_alone(self):
        task = self.make()
        with open(self.path, "a", encoding="utf-8") as file:
            for user in fixtures.users_of_every_split(2)[2:]:
                file.write(f'{{"user": "{user}", "text": "quixotic quixotic"}}\n')
        changed = self.make()
        self.assertNotEqual(changed.folder, task.folder)
        self.assertEqual(changed.vocabulary.hash, task.vocabulary.hash)
        self.assertEqual(changed.statistics["splits"]["train"]["unknown_pieces"], 0)
        self.assertGreater(changed.statistics["splits"]["test"]["unknown_pieces"], 0)

    def test_second_start_reuses_everything_without_tensorflow(self):
        self.make()
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", _SECOND_START, self.path, self.cache_dir]
        subprocess.run(command, check=True, env=environment)

    def test_key_covers_contents_and_options_but_not_the_place(self):
        folders = {self.make().folder}
        moved = fixtures.write_json_lines(self.create_tempdir().full_path)
        self.assertIn(self.make(moved).folder, folders)
        folders |= {
            self.make(**options).folder
            for options in (
                {"vocabulary_size": 101},
                {"lower_case": False},
                {"min_examples": 2},
                {"max_examples": 3},
                {"max_clients": 1},
            )
        }
        folders.add(self.make(max_length=31).folder)
        with mock.patch.object(preparation, "CODE_VERSION", 0):
            folders.add(self.make().folder)
        self.assertLen(folders, 8)

    def test_the_hash_is_of_what_is_trained_on(self):
        """Rows and their people count; where the text lies and how it is kept do not."""
        given = os.path.join(self.folder, "given.txt")
        task = self.make()
        task.vocabulary.save(given)
        self.assertEqual(self.make(vocabulary=given).data_hash, task.data_hash)
        with open(self.path, encoding="utf-8") as file:
            text = file.read()
        first, other = fixtures.users_of_every_split(2)[:2]
        # At the same place among the people of the same split.
        names = (f"{first}_{number}" for number in itertools.count())
        renamed = next(name for name in names if split_of(name, 0) == "train" and name < other)
        changes = {
            "a word": text.replace("cat", "mat"),
            "who says it": text.replace(f'"{first}"', f'"{renamed}"'),
            "the order": "".join(reversed(text.splitlines(keepends=True))),
        }
        hashes = {task.data_hash}
        for name, changed in changes.items():
            path = self.create_tempfile(f"{name}.jsonl", content=changed).full_path
            hashes.add(self.make(path, vocabulary=given).data_hash)
        self.assertLen(hashes, 4)

    def test_a_given_vocabulary_is_used(self):
        path = os.path.join(self.folder, "given.txt")
        given = self.make(vocabulary_size=90).vocabulary
        given.save(path)
        self.assertEqual(self.make(vocabulary=path).vocabulary.hash, given.hash)

    def test_bad_rows_are_counted_kept_and_shown(self):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write("nope\n")
        line = 6 * 5 + 1
        task = self.make()
        self.assertEqual(task.statistics["bad_rows"], 1)
        with open(os.path.join(task.folder, preparation.BAD_ROWS_FILE), encoding="utf-8") as file:
            self.assertStartsWith(file.read(), f"messages.jsonl:{line}: not JSON")
        self.assertIn(f"messages.jsonl:{line}: not JSON", report.describe(task))

    def test_ids_are_checked(self):
        task = self.make()
        known = task.client_ids("train")
        task.check_client_ids("train", known)
        with self.assertRaisesRegex(TaskError, f"unknown train client '{known[0]}x'; did you mean"):
            task.check_client_ids("train", [known[0] + "x"])
        with self.assertRaisesRegex(TaskError, "unknown split 'tset'; did you mean test"):
            task.client_ids("tset")

    def test_errors_are_one_clear_line(self):
        empty = self.create_tempfile("a.jsonl", content="nope\n").full_path
        few = self.create_tempfile("b.jsonl", content='{"user": "b", "text": "x"}').full_path
        for path, message in (
            ("/nowhere", "nothing at /nowhere"),
            (empty, "no usable row in .*a.jsonl:1: not JSON"),
            (few, "no clients for validation and test .*give more users"),
        ):
            with self.assertRaisesRegex(TaskError, message) as caught:
                self.make(path)
            self.assertNotIn("\n", str(caught.exception))
        with self.assertRaisesRegex(TaskError, "unknown task 'chatt'; did you mean chat"):
            make_task(TaskOptions("chatt"))
        with self.assertRaisesRegex(TaskError, "holds no prepared task"):
            load_task("text", self.cache_dir)

    def test_corpora_are_found_where_they_register(self):
        self.assertContainsSubset(["chat", "stackoverflow", "text", "shakespeare"], CORPORA)
        for corpus in CORPORA.values():
            self.assertIsInstance(corpus, Corpus)

    def test_a_corpus_from_outside(self):
        """One that registers itself is prepared like the others, under its own name."""
        texts = {user: ["hello there"] * 3 for user in fixtures.users_of_every_split(2)}
        CORPORA.register("greetings")(
            Corpus(lambda options: "1", lambda options: read_in_memory(texts, options))
        )
        task = make_task(TaskOptions("greetings", cache_dir=self.cache_dir, vocabulary_size=60))
        self.assertLen(task.client_ids("train"), 2)
        self.assertStartsWith(os.path.basename(task.folder), "greetings-")
        with self.assertRaisesRegex(TaskError, "did you mean greetings"):
            make_task(TaskOptions("greeting", cache_dir=self.cache_dir))


if __name__ == "__main__":
    absltest.main()
