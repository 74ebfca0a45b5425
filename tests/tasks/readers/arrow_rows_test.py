"""Parquet, Arrow, folders of `datasets`; the SQLite of TFF."""

import json
import pathlib
import sqlite3

import pyarrow
import pyarrow.parquet
import tensorflow as tf
from absl.testing import absltest, parameterized

from tasks import text
from tasks.corpus import BadRow, CorpusOptions
from tasks.errors import TaskError
from tasks.readers.data_files import find_files
from tasks.tables import PARSERS
from tests.tasks.fixtures import parse_path

_TABLE = pyarrow.table(
    {
        "n": [1, 2, 3, 4],
        "user": ["a", None, "b", "a"],
        "text": ["x", "y", "", "z"],
    }
)
_ROWS = ([("a", "x"), ("a", "z")], [(2, "no 'user'"), (3, "'text' is empty")])


def _write_stream(path, table):
    with pyarrow.OSFile(str(path), "wb") as file, pyarrow.ipc.new_stream(file, table.schema) as out:
        out.write_table(table, max_chunksize=2)


class ArrowTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_parquet(self):
        path = self.folder / "a.parquet"
        pyarrow.parquet.write_table(_TABLE, path, row_group_size=3)
        self.assertEqual(parse_path(path), _ROWS)

    def test_a_stream_and_a_file(self):
        path = self.folder / "a.arrow"
        _write_stream(path, _TABLE)
        self.assertEqual(parse_path(path), _ROWS)
        with pyarrow.ipc.new_file(str(path), _TABLE.schema) as out:
            out.write_table(_TABLE)
        self.assertEqual(parse_path(path), _ROWS)

    @parameterized.parameters(
        (pyarrow.array([1, 2]), ["1", "2"]),
        (pyarrow.array([1.0, None]), ["1"]),
        (pyarrow.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pyarrow.array(["a", "b"], pyarrow.large_string()), ["a", "b"]),
        (pyarrow.array([b"a", b"\xff"]), ["a"]),
        (pyarrow.array([["a"], []]), []),
    )
    def test_types_of_users(self, users, expected):
        path = self.folder / "a.parquet"
        pyarrow.parquet.write_table(pyarrow.table({"user": users, "text": ["x", "y"]}), path)
        good, bad = parse_path(path)
        self.assertEqual([user for user, _ in good], expected)
        self.assertLen(bad, 2 - len(expected))

    def test_errors_name_the_file(self):
        broken = self.folder / "broken.parquet"
        broken.write_bytes(b"PAR1 no")
        stream = self.folder / "broken.arrow"
        stream.write_bytes(b"no")
        double = self.folder / "double.arrow"
        _write_stream(double, pyarrow.Table.from_arrays([[1], [2], [3]], ["user", "text", "text"]))
        other = self.folder / "other.arrow"
        _write_stream(other, pyarrow.table({"users": [1], "text": ["x"]}))
        for path, message in (
            (broken, "broken.parquet is damaged, or not parquet"),
            (stream, "broken.arrow is damaged, or not arrow"),
            (double, "two columns 'text'"),
            (other, r"unknown column \(of other.arrow\) 'user'; did you mean users"),
        ):
            with self.assertRaisesRegex(TaskError, message) as caught:
                parse_path(path)
            self.assertNotIn("\n", str(caught.exception))


class SavedDatasetTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        (self.folder / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
        for split in ("train", "test"):
            self.write_split(split, {})

    def write_split(self, split, state):
        folder = self.folder / split
        folder.mkdir(exist_ok=True)
        _write_stream(folder / "data-00000-of-00001.arrow", _TABLE)
        names = [{"filename": "data-00000-of-00001.arrow"}]
        (folder / "state.json").write_text(json.dumps({"_data_files": names} | state))
        (folder / "dataset_info.json").write_text('{"features": {}}')

    def read(self):
        files, left_out = find_files("text", str(self.folder), PARSERS)
        self.assertEmpty(left_out)
        return [row for file in files for row in PARSERS[file.kind](file, CorpusOptions())]

    def test_all_splits_are_read_and_what_is_left_over_is_not(self):
        _write_stream(self.folder / "train" / "data-00001-of-00002.arrow", _TABLE)
        rows = self.read()
        self.assertEqual([row for row in rows if not isinstance(row, BadRow)], _ROWS[0] * 2)
        self.assertIn(
            "train/data-00001-of-00002.arrow: not read: state.json", "".join(map(str, rows))
        )

    def test_a_selection_by_indices_is_refused(self):
        self.write_split("train", {"_indices_data_files": [{"filename": "indices.arrow"}]})
        with self.assertRaisesRegex(TaskError, r"indices of some; .*flatten_indices\(\)"):
            self.read()

    def test_a_damaged_state(self):
        (self.folder / "test" / "state.json").write_text("")
        with self.assertRaisesRegex(TaskError, "test/state.json is damaged"):
            self.read()


class SqliteTest(absltest.TestCase):
    def write(self, rows, statement="CREATE TABLE examples VALUES"):
        path = pathlib.Path(self.create_tempdir().full_path) / "a.sqlite"
        with sqlite3.connect(path) as connection:
            connection.execute(
                "CREATE TABLE examples (split_name, client_id, serialized_example_proto)"
            )
            connection.executemany("INSERT INTO examples VALUES ('train', ?, ?)", rows)
        connection.close()
        return path

    def example(self, **features):
        example = tf.train.Example()
        for name, value in features.items():
            example.features.feature[name].bytes_list.value.append(value)
        return example.SerializeToString()

    def test_client_data(self):
        path = self.write(
            [
                ("a", self.example(tokens="h\u00e9".encode(), score=b"1")),
                ("b", b"\xff"),
                ("a", self.example(tokens=b"\xff")),
                ("b", self.example(tokens=b"y")),
            ]
        )
        good, bad = parse_path(path, CorpusOptions(text_column="tokens"))
        self.assertEqual(good, [("a", "h\u00e9"), ("b", "y")])
        self.assertEqual(bad, [(2, "not a tf.train.Example"), (3, "'tokens' is not text")])
        with self.assertRaisesRegex(
            TaskError, r"unknown feature \(of a.sqlite\) 'token'; .*tokens"
        ):
            parse_path(path, CorpusOptions(text_column="token"))

    def test_other_files_are_refused(self):
        path = self.write([])
        with sqlite3.connect(path) as connection:
            connection.execute("DROP TABLE examples")
        connection.close()
        for content, message in (
            (None, "not an SQLite file of TFF's client data .no such table: examples"),
            (b"text" * 300, "not an SQLite file of TFF's client data .file is not a database"),
            (b"\x1f\x8b\x08" + bytes(20), "compressed; unpack it"),
        ):
            if content:
                path.write_bytes(content)
            with self.assertRaisesRegex(TaskError, message):
                parse_path(path)


class CorpusTest(absltest.TestCase):
    def test_a_folder_of_several_kinds(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        pyarrow.parquet.write_table(_TABLE, folder / "a.parquet")
        _write_stream(folder / "b.arrow", _TABLE)
        (folder / "c.csv").write_text("user;text\na;w\n")
        (folder / "b.txt").write_text("v\n")
        reading = text.CORPUS.read(CorpusOptions(path=str(folder)))
        clients = dict(each for split in reading.clients.values() for each in split)
        self.assertEqual(clients, {"a": ["x", "z", "x", "z", "w"], "b": ["v"]})
        self.assertLen(reading.bad_rows, 4)


if __name__ == "__main__":
    absltest.main()
