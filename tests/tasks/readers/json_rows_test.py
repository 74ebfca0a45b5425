import json
from unittest import mock

from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import TaskError
from tasks.readers import json_rows
from tests.tasks.fixtures import parse


class JsonLinesTest(parameterized.TestCase):
    @parameterized.parameters(".jsonl", ".ndjson", ".json")
    def test_good_rows(self, suffix):
        good, bad = parse(
            f"a{suffix}", '\ufeff{"user": "a", "text": "x y"}\r\n\n{"text": "z", "user": 7, "n": 1}'
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
        (b'{"user": NaN, "text": "a"}', "no 'user'"),
        (b'{"user": true, "text": "a"}', "'user' is neither"),
        (b'{"user": 9007199254740993.0, "text": "a"}', "'user' is neither"),
        (b'{"user": [1], "text": "a"}', "'user' is neither"),
        (b'{"user": "a", "text": 1}', "'text' is not text"),
        (b'{"user": "a", "text": "x", "text": "y"}', "two values of 'text'"),
        (b'{"user": " ", "text": "x"}', "'user' is empty"),
        (b'{"user": "a", "text": " \\u200b"}', "'text' is empty"),
        (b'{"user": "a\\u0000", "text": "x"}', "'user' holds a NUL"),
        (b'{"user": "\\ud800", "text": "x"}', "'user' is not valid"),
        (b'{"user": "\xff", "text": "x"}', "not UTF-8"),
        (b'{"user": "\xff, "text": "x"}', "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
    )
    def test_bad_row_is_reported_with_its_line(self, line, reason):
        fine = '{"user": "\u00e9", "text": "x"}\n'.encode()
        good, bad = parse("a.jsonl", fine + line + b"\n" + fine)
        self.assertEqual(good, [("\u00e9", "x")] * 2)
        self.assertLen(bad, 1)
        self.assertEqual(bad[0][0], 2)
        self.assertStartsWith(bad[0][1], reason)

    @parameterized.parameters(("17.0", "17"), ("17", "17"), ("1.5", "1.5"), ("-0.0", "0"))
    def test_numbers_of_users(self, number, name):
        """pandas writes a column of whole numbers with a gap as floats."""
        content = f'{{"user": {number}, "text": "x"}}'
        self.assertEqual(parse("a.jsonl", content), ([(name, "x")], []))

    def test_one_user_in_two_unicode_spellings(self):
        good, _ = parse(
            "a.jsonl",
            '{"user": "Zo\\u00eb", "text": "x"}\n{"user": "Zoe\\u0308", "text": "y"}',
        )
        self.assertEqual(good, [("Zo\u00eb", "x"), ("Zo\u00eb", "y")])

    @settings(deadline=None, derandomize=True)
    @given(st.lists(st.one_of(st.none(), st.tuples(st.text(), st.text())), max_size=8))
    def test_every_row_is_either_good_or_reported(self, rows):
        lines = [
            "broken" if row is None else json.dumps({"user": row[0], "text": row[1]})
            for row in rows
        ]
        good, bad = parse("a.jsonl", "\n".join(lines))
        self.assertEqual(len(good) + len(bad), len(rows))
        reported = {line for line, _ in bad}
        expected = [row[1] for number, row in enumerate(rows, start=1) if number not in reported]
        self.assertEqual([text for _, text in good], expected)
        self.assertContainsSubset(
            {number for number, row in enumerate(rows, start=1) if row is None}, reported
        )


class JsonArrayTest(parameterized.TestCase):
    @settings(deadline=None, derandomize=True)
    @given(
        rows=st.lists(st.fixed_dictionaries({"user": st.text(), "text": st.text()}), max_size=8),
        indent=st.sampled_from([None, 0, 2]),
        chunk=st.integers(1, 40),
        ascii_only=st.booleans(),
    )
    def test_an_array_is_read_like_lines(self, rows, indent, chunk, ascii_only):
        with mock.patch.object(json_rows, "_CHUNK", chunk):
            content = json.dumps(rows, indent=indent, ensure_ascii=ascii_only)
            found = parse("a.json", content)
        lines = parse("a.jsonl", "\n".join(map(json.dumps, rows)))
        self.assertEqual(found[0], lines[0])
        self.assertEqual([reason for _, reason in found[1]], [reason for _, reason in lines[1]])

    def test_bad_rows_have_the_line_on_which_they_begin(self):
        content = b'\n[{"user": "a",\n"text": "x"},\n\n{"user":\n "b"}, 5\n, {"user": "\xff", '
        content += b'"text": "x"}, {"user": "\xc3\xa9", "text": "y"}]\n'
        good, bad = parse("a.jsonl", content)
        self.assertEqual(good, [("a", "x"), ("\u00e9", "y")])
        self.assertEqual(bad, [(5, "no 'text'"), (6, "not a JSON object"), (7, "not UTF-8")])

    @parameterized.parameters(
        ('[{"user": "a"},\n{"user": "b"}', "line 2: the array is cut short"),
        ('[{"user": "a"}\n\n{"user": "b"}]', "line 3: expected , or ], not '{'"),
        ('[{"user": "a"},\n{"user": "b}]', "line 2: Unterminated string"),
        ('[{"user": "a"},\n{"user" "b"}, {}]', "line 2: Expecting ':'"),
        ("[{}]\n\n{}", "line 3: something follows"),
        ("[1,", "line 1: Expecting value"),
        ("[" * 100_000, "line 1: "),
    )
    def test_what_is_not_an_array_is_refused(self, content, message):
        with self.assertRaisesRegex(TaskError, f"a.json is not a JSON array, at {message}"):
            parse("a.json", content)


if __name__ == "__main__":
    absltest.main()
