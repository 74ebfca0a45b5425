import collections
import contextlib
import os
import sqlite3

import tensorflow as tf
import tensorflow_federated as tff
from absl.testing import absltest

from tasks import client_store
from tasks.errors import TaskError
from tests.tasks import fixtures


class ClientStoreTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path
        self.path = os.path.join(self.folder, "clients.sqlite")

    def test_tffs_own_reader_reads_it(self):
        path = fixtures.write_store(self.folder, {"b": [[7], [8, 9]], "a": [[4, 5, 6]], "c": []})
        data = tff.simulation.datasets.SqlClientData(path, "train")
        self.assertEqual(data.client_ids, ["a", "b", "c"])
        spec = {client_store.TOKENS: tf.io.RaggedFeature(tf.int64)}
        tokens = [
            tf.io.parse_single_example(row, spec)[client_store.TOKENS].numpy().tolist()
            for row in data.create_tf_dataset_for_client("b")
        ]
        self.assertEqual(tokens, [[1, 7, 2], [1, 8, 9, 2]])

    def test_tables_are_those_of_tffs_writer(self):
        theirs = os.path.join(self.folder, "theirs.sqlite")
        dataset = tf.data.Dataset.from_tensor_slices(
            collections.OrderedDict(tokens=tf.constant([[1, 7, 2]], tf.int64))
        )
        tff.simulation.datasets.save_to_sql_client_data(
            ["a"], lambda _: dataset, theirs, split_names_by_client_id={"a": "train"}
        )
        ours = fixtures.write_store(self.folder, {"a": [[7]]})
        self.assertEqual(_contents(ours), _contents(theirs))

    def test_sizes_are_sorted_by_id_and_of_the_split_only(self):
        client_store.write(
            self.path,
            [("train", "b", [[1, 2]]), ("test", "b", []), ("train", "a'", [[1, 2], [1, 2]])],
        )
        sizes = client_store.client_sizes(self.path, "train")
        self.assertEqual(list(sizes.items()), [("a'", 2), ("b", 1)])
        self.assertEqual(client_store.client_sizes(self.path, "test"), {"b": 0})
        self.assertEmpty(client_store.client_sizes(self.path, "validation"))

    def test_bytes_grow_with_the_text(self):
        client_store.write(
            self.path, [("train", "a", [[1, 7, 2]]), ("train", "b", [[1, 7, 2], [1, 7, 7, 7, 2]])]
        )
        found = client_store.client_bytes(self.path, "train", ["b", "a", "nobody"])
        self.assertEqual(list(found), ["b", "a", "nobody"])
        self.assertGreater(found["b"], 2 * found["a"])
        self.assertEqual(found["nobody"], 0)

    def test_refuses_bad_ids(self):
        for client in ("", "a\0b"):
            with self.assertRaisesRegex(TaskError, "non-empty text without NUL"):
                client_store.write(self.path, [("train", client, [])])
            os.unlink(self.path)
        with self.assertRaisesRegex(TaskError, "occurs twice"):
            client_store.write(self.path, [("train", "a", []), ("train", "a", [])])

    def test_names_a_file_that_is_no_database(self):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("no database" * 1000)
        with self.assertRaisesRegex(TaskError, "cannot read the clients in .*clients.sqlite"):
            client_store.client_sizes(self.path, "train")


def _contents(path: str) -> dict[str, list]:
    """Columns and rows of each table."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return {
            table: [
                connection.execute(f"PRAGMA table_info({table})").fetchall(),
                connection.execute(f"SELECT * FROM {table}").fetchall(),
            ]
            for table in ("examples", "client_metadata")
        }


if __name__ == "__main__":
    absltest.main()
