import csv
import io
import json
import os
import pathlib
import tempfile

from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks import tables
from tasks.corpus import BadRow, CorpusOptions
from tasks.errors import TaskError

_OPTIONS = CorpusOptions()


def _parse(suffix: str, content: str | bytes, options: CorpusOptions = _OPTIONS):
    """Good rows, and (line, reason) of the bad ones."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"file{suffix}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        rows = list(tables.PARSERS[suffix](path, options))
    bad = [(row.line, row.reason) for row in rows if isinstance(row, BadRow)]
    return [row for row in rows if not isinstance(row, BadRow)], bad


class JsonLinesTest(parameterized.TestCase):
    def test_good_rows(self):
        good, bad = _parse(
            ".jsonl", '\ufeff{"user": "a", "text": "x y"}\r\n\n{"text": "z", "user": 7, "n": 1}'
        )
        self.assertEqual(good, [("a", "x y"), ("7", "z")])
        self.assertEmpty(bad)

    @parameterized.parameters(
        (b"nope", "not JSON"),
        (b'{"user": "a", "text": "x"', "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"user": "a"}', "no 'text'"),
        (b'{"text": "a"}', "no 'user'"),
        (b'{"user": null, "text": "a"}', "no 'user'"),
        (b'{"user": true, "text": "a"}', "'user' is neither"),
        (b'{"user": 1.5, "text": "a"}', "'user' is neither"),
        (b'{"user": "a", "text": 1}', "'text' is not text"),
        (b'{"user": " ", "text": "x"}', "'user' is empty"),
        (b'{"user": "a", "text": " \\u200b"}', "'text' is empty"),
        (b'{"user": "a\\u0000", "text": "x"}', "'user' holds a NUL"),
        (b'{"user": "\\ud800", "text": "x"}', "'user' is not valid"),
        (b'{"user": "\xff", "text": "x"}', "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
    )
    def test_bad_row_is_reported_with_its_line(self, line, reason):
        fine = b'{"user": "a", "text": "x"}\n'
        good, bad = _parse(".jsonl", fine + line + b"\n" + fine)
        self.assertEqual(good, [("a", "x")] * 2)
        self.assertLen(bad, 1)
        self.assertEqual(bad[0][0], 2)
        self.assertStartsWith(bad[0][1], reason)

    @settings(deadline=None)
    @given(st.lists(st.one_of(st.none(), st.tuples(st.text(), st.text())), max_size=8))
    def test_every_row_is_either_good_or_reported(self, rows):
        lines = [
            "broken" if row is None else json.dumps({"user": row[0], "text": row[1]})
            for row in rows
        ]
        good, bad = _parse(".jsonl", "\n".join(lines))
        self.assertEqual(len(good) + len(bad), len(rows))
        reported = {line for line, _ in bad}
        expected = [
            (row[0].strip(), row[1])
            for number, row in enumerate(rows, start=1)
            if number not in reported
        ]
        self.assertEqual(good, expected)
        self.assertContainsSubset(
            {number for number, row in enumerate(rows, start=1) if row is None}, reported
        )


class CsvTest(parameterized.TestCase):
    def test_columns_are_found_by_name(self):
        options = CorpusOptions(user_column="who", text_column="said")
        good, bad = _parse(".csv", 'n,said,who\n1,"a, b",x\n\n2,"c\nd",y\n', options)
        self.assertEqual(good, [("x", "a, b"), ("y", "c\nd")])
        self.assertEmpty(bad)

    def test_tabs(self):
        self.assertEqual(_parse(".tsv", "user\ttext\na\tb, c\n")[0], [("a", "b, c")])

    def test_bad_rows_are_reported_with_their_lines(self):
        content = b'user,text\na,"two\nlines"\nb\nc,x,y\n,x\nd,\n\xff,x\ne,fine\n'
        good, bad = _parse(".csv", content)
        self.assertEqual(good, [("a", "two\nlines"), ("e", "fine")])
        self.assertEqual([line for line, _ in sorted(bad)], [4, 5, 6, 7, 8])
        self.assertEqual(sorted(bad)[0][1], "1 values, but the header has 2")
        self.assertEqual(sorted(bad)[4][1], "not UTF-8")

    def test_a_field_beyond_the_limit_of_csv_is_reported(self):
        huge = "x" * (csv.field_size_limit() + 1)
        good, bad = _parse(".csv", f"user,text\na,{huge}\nb,fine\n")
        self.assertEqual(good, [("b", "fine")])
        self.assertEqual(bad[0][0], 2)
        self.assertStartsWith(bad[0][1], "not CSV")

    def test_missing_column_names_the_nearest(self):
        with self.assertRaisesRegex(TaskError, "unknown column .*'user'; did you mean users"):
            _parse(".csv", "users,text\na,b\n")

    @settings(deadline=None)
    @given(
        st.lists(
            st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\0\r"))] * 2),
            max_size=8,
        )
    )
    def test_what_csv_writes_is_read(self, rows):
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(
            [("user", "text"), *rows]
        )
        good, bad = _parse(".csv", stream.getvalue())
        self.assertContainsSubset(good, [(user.strip(), text) for user, text in rows])
        self.assertTrue(all(reason.endswith("is empty") for _, reason in bad))
        self.assertEqual(len(good) + len(bad), len(rows))


class PlainTextTest(absltest.TestCase):
    def test_a_file_is_a_user(self):
        good, bad = _parse(".txt", b"one\n\n two\n\xff\n")
        self.assertEqual(good, [("file", "one"), ("file", " two")])
        self.assertEqual(bad, [(4, "not UTF-8")])


class DataFilesTest(absltest.TestCase):
    def test_a_folder_and_its_subfolders(self):
        folder = self.create_tempdir()
        for name in ("b.txt", "sub/a.csv", "ignored.md"):
            folder.create_file(name, content="x")
        found = [os.path.relpath(file, folder) for file in tables.data_files(folder.full_path)]
        self.assertEqual(found, ["b.txt", "sub/a.csv"])

    def test_errors_name_the_path(self):
        folder = self.create_tempdir()
        file = folder.create_file("a.md").full_path
        for path, message in (
            (None, "say where"),
            ("/nowhere", "nothing at /nowhere"),
            (file, "cannot read .*a.md"),
            (folder.full_path, "no file in"),
        ):
            with self.assertRaisesRegex(TaskError, message):
                tables.data_files(path)


if __name__ == "__main__":
    absltest.main()
