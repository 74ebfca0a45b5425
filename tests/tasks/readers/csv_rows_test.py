import csv
import io
import random
import re

from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.corpus import CorpusOptions
from tasks.errors import TaskError
from tasks.normalization import normalize_text
from tasks.readers.rows import user_name
from tests.tasks.fixtures import parse

_SETTINGS = settings(deadline=None, max_examples=200, derandomize=True)
# What a value may hold that means something to CSV, and letters.
_TRICKY = st.text("ab\", ;\t'", max_size=8)


def _write(rows, header=("user", "text"), **options):
    stream = io.StringIO()
    csv.writer(stream, **({"lineterminator": "\n"} | options)).writerows([header, *rows])
    return stream.getvalue()


def _with_one_quote_more_or_less(line, position, add):
    """The line, and whether it is another one."""
    if add:
        position %= len(line) + 1
        return line[:position] + '"' + line[position:]
    places = [place for place, character in enumerate(line) if character == '"']
    if not places:
        return line
    place = places[position % len(places)]
    return line[:place] + line[place + 1 :]


class CsvTest(parameterized.TestCase):
    def test_columns_are_found_by_name(self):
        options = CorpusOptions(user_column="who", text_column="said")
        good, bad = parse("a.csv", 'n,said,who\n1,"a, b",x\n\n2,"c\nd",y\n', options)
        self.assertEqual(good, [("x", "a, b"), ("y", "c\nd")])
        self.assertEmpty(bad)

    @parameterized.parameters(",", ";", "\t", "|")
    def test_the_delimiter_is_that_of_the_header(self, delimiter):
        content = f"n{delimiter} user {delimiter}text\n1{delimiter}a{delimiter}b :/\n"
        for name in ("a.csv", "a.tsv", "A.CSV"):
            self.assertEqual(parse(name, content), ([("a", "b :/")], []))

    def test_a_delimiter_in_a_name_does_not_mislead(self):
        content = "user;text;a,b,c,d,e\nx;y, z;\n"
        self.assertEqual(parse("a.csv", content), ([("x", "y, z")], []))

    def test_excels_own_first_line(self):
        self.assertEqual(parse("a.csv", "sep=;\r\nuser;text\r\na;b\r\n"), ([("a", "b")], []))

    @parameterized.parameters("\n", "\r\n", "\r")
    def test_line_ends(self, end):
        content = end.join(["user,text", 'a,"b', 'c"', "d,e", ""])
        good, bad = parse("a.csv", content)
        self.assertEqual(good, [("a", "b\nc"), ("d", "e")])
        self.assertEmpty(bad)

    def test_a_return_within_a_line_is_white_space(self):
        good, bad = parse("a.csv", 'user,text\na,b\rc\nd,"e\rf"\n')
        self.assertEqual(good, [("a", "b c"), ("d", "e f")])
        self.assertEmpty(bad)

    def test_bad_rows_are_reported_with_their_lines(self):
        content = b'user,text\na,"two\nlines"\nb\nc,x,y\n,x\nd,\n\xff,x\n\xc3\xa9,fine\n'
        good, bad = parse("a.csv", content)
        self.assertEqual(good, [("a", "two\nlines"), ("\u00e9", "fine")])
        self.assertEqual([line for line, _ in bad], [4, 5, 6, 7, 8])
        self.assertEqual(bad[0][1], "not as many values as the header has (1, not 2)")
        self.assertEqual(bad[4][1], "not UTF-8")

    def test_a_value_beyond_the_limit_of_csv_is_reported(self):
        huge = "x" * (csv.field_size_limit() + 1)
        good, bad = parse("a.csv", f'user,text\na,{huge}\nb,fine\nc,"{huge}\nd",\ne,fine\n')
        self.assertEqual(good, [("b", "fine"), ("e", "fine")])
        self.assertStartsWith(bad[0][1], "not CSV")
        self.assertEqual([line for line, _ in bad], [2, 4, 5])

    @parameterized.parameters(
        ("users,text\na,b\n", "unknown column .*'user'; did you mean users"),
        ("x" * 200_000, "a.csv does not begin with names of columns"),
        ("user,text,text\na,b,c\n", "two columns 'text'"),
        ("user,text, user \na,b,c\n", "two columns 'user'"),
    )
    def test_a_header_that_does_not_name_the_columns_once(self, content, message):
        with self.assertRaisesRegex(TaskError, message):
            parse("a.csv", content)

    def test_an_empty_file(self):
        self.assertEqual(parse("a.csv", "\n"), ([], [(0, "empty")]))


class QuotesTest(parameterized.TestCase):
    @_SETTINGS
    @given(
        rows=st.lists(
            st.tuples(
                st.text(st.characters(codec="utf-8", exclude_characters="\r\0")).map("@".__add__),
                st.text(st.characters(codec="utf-8", exclude_characters="@\0")) | _TRICKY,
            ),
            max_size=8,
        ),
        delimiter=st.sampled_from(",;\t|"),
        quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        end=st.sampled_from(["\n", "\r\n"]),
    )
    def test_what_csv_writes_is_read(self, rows, delimiter, quoting, end):
        content = _write(rows, delimiter=delimiter, quoting=quoting, lineterminator=end)
        good, bad = parse("a.csv", content)

        def cleaned(rows):
            return [(user, normalize_text(text, lower_case=False)) for user, text in rows]

        expected = [(user_name(user), text) for user, text in cleaned(rows) if text]
        self.assertEqual(cleaned(good), expected)
        self.assertLen(bad, len(rows) - len(good))
        self.assertTrue(all(reason.endswith("is empty") for _, reason in bad))

    @_SETTINGS
    @given(
        rows=st.lists(st.tuples(_TRICKY, _TRICKY, _TRICKY), min_size=1, max_size=8),
        quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        where=st.integers(0, 7),
        position=st.integers(0, 100),
        add=st.booleans(),
    )
    def test_a_broken_quote_costs_its_row_where_texts_are_lines(
        self, rows, quoting, where, position, add
    ):
        lines = _write(rows, ("user", "text", "n"), quoting=quoting).split("\n")[:-1]
        where %= len(rows)
        lines[where + 1] = _with_one_quote_more_or_less(lines[where + 1], position, add)
        good, bad = parse("a.csv", "\n".join(lines) + "\n")
        expected = [
            (number, (user_name(user), text))
            for number, (user, text, _) in enumerate(rows)
            if user.strip() and text.strip()
        ]
        others = [row for number, row in expected if number != where]
        before = len([number for number, _ in expected if number < where])
        if len(good) > len(others):
            # The row was read all the same: for the right person, with another quote at most.
            user, text = good.pop(before)
            self.assertEqual(user, user_name(rows[where][0]))
            self.assertEqual(text.replace('"', ""), rows[where][1].replace('"', ""))
        else:
            self.assertIn(where + 2, [line for line, _ in bad])
        self.assertEqual(good, others)

    @_SETTINGS
    @given(
        users=st.permutations(["u0", "u1", "u2"] * 4),
        # Of each text, the lines before one that may read as a row, for itself; and that one.
        pieces=st.lists(
            st.tuples(st.lists(st.text('x" ', max_size=4), max_size=2), _TRICKY),
            min_size=12,
            max_size=12,
        ),
        broken=st.integers(1, 12),
        line=st.integers(0, 2),
        position=st.integers(0, 100),
        add=st.booleans(),
        quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    )
    def test_a_broken_quote_costs_its_row_where_texts_span_lines(
        self, users, pieces, broken, line, position, add, quoting
    ):
        rows = [("u0", "first\ntext")]
        for number, (user, (lines, last)) in enumerate(zip(users, pieces, strict=True), start=1):
            rows.append((user, "\n".join(f"{piece} r{number}" for piece in [*lines, last])))
        first = 2 + sum(1 + text.count("\n") for _, text in rows[:broken])
        its_lines = range(first, first + 1 + rows[broken][1].count("\n"))
        line = its_lines[line % len(its_lines)]
        lines = _write(rows, quoting=quoting).split("\n")
        lines[line - 1] = _with_one_quote_more_or_less(lines[line - 1], position, add)
        good, bad = parse("a.csv", "\n".join(lines))
        of_broken = [row for row in good if re.search(rf"\br{broken}\b", row[1].replace('"', ""))]
        self.assertEqual(
            [row for row in good if row not in of_broken], rows[:broken] + rows[broken + 1 :]
        )
        self.assertLessEqual({user for user, _ in of_broken}, {rows[broken][0]})
        self.assertLessEqual({line for line, _ in bad}, set(its_lines))
        self.assertTrue(of_broken or bad)

    def test_two_broken_quotes_far_apart_do_not_join_what_is_between(self):
        rng = random.Random(0)
        rows = [(f"u{rng.randrange(9)}", f"text {n}") for n in range(480)]
        lines = [f"{user},{text}" for user, text in rows]
        lines[100] = f'{rows[100][0]},"and then'
        lines[340] = f'{rows[340][0]},that was it"'
        good, bad = parse("a.csv", "\n".join(["user,text", *lines]))
        self.assertCountEqual(bad, [(102, "an unbalanced quote"), (342, "an unbalanced quote")])
        self.assertEqual(good, rows[:100] + rows[101:340] + rows[341:])

    def test_a_quote_that_is_never_closed_costs_its_row(self):
        lines = [f"u{n % 7}\ttext {n}" for n in range(480)]
        lines[240] = 'u2\t"oh'
        good, bad = parse("a.tsv", "\n".join(["user\ttext", *lines]))
        self.assertLen(good, 479)
        self.assertEqual(bad, [(242, "an unbalanced quote")])

    def test_quotes_within_a_value_are_taken_as_they_are(self):
        good, bad = parse("a.csv", 'user,text\na,he said "hi"\nb,6" tall\n"c",x\nd"e,x\n')
        self.assertEqual(good, [("a", 'he said "hi"'), ("b", '6" tall'), ("c", "x")])
        self.assertEqual(bad, [(5, "an unbalanced quote")])

    @parameterized.parameters(
        ("well, yes\nbye", "", True),  # "well" is nobody.
        ("u1, are you there?\nbye", "", True),  # The other line is no row.
        ("u1, are you there?\nbye", 'u2,"x\n', False),  # But here quotes cannot be trusted.
        ("u1, are you there?", "", False),
    )
    def test_further_lines_that_read_as_rows(self, further, other, is_read):
        """Of people in the file: all of them, or any if the file has a broken quote."""
        content = f'user,text\nu1,hi\nu2,"a\nb"\nu2,"hello\n{further}"\n{other}u1,ho\n'
        good, bad = parse("a.csv", content)
        text = [("u2", f"hello\n{further}")] if is_read else []
        self.assertEqual(good, [("u1", "hi"), ("u2", "a\nb"), *text, ("u1", "ho")])
        doubt = "in doubt: its further lines read as rows of people in the file"
        self.assertEqual((5, doubt) in bad, not is_read)

    def test_what_is_in_doubt_ends_somewhere(self):
        """Where nobody has two rows, a broken quote costs a bounded number of them."""
        rows = [(f"u{n}", f"text\n{n}") for n in range(300)]
        lines = _write(rows).split("\n")
        lines[1 + 2 * 150] = 'u150,"text" 150'
        good, bad = parse("a.csv", "\n".join(lines))
        self.assertEqual(good, rows[:50] + rows[251:])
        self.assertLen(bad, 2 + 200)


if __name__ == "__main__":
    absltest.main()
