import tracemalloc
from unittest import mock

from absl.testing import absltest, parameterized

from tasks import grouping
from tasks.corpus import BadRow, CorpusOptions, read_in_memory
from tasks.errors import TaskError
from tests.tasks.fixtures import users_of_every_split

_USERS = users_of_every_split(2)


def _rows():
    """Interleaved, of different lengths; of some texts nothing is left."""
    for number in range(9):
        for size, user in enumerate(_USERS):
            if number <= size + 2:
                yield user, f"Text  {number} of {user}" if number != 1 else " \u200b"


class GroupingTest(parameterized.TestCase):
    @parameterized.parameters(
        ({},),
        ({"max_examples": 3},),
        ({"min_examples": 4},),
        ({"max_clients": 1},),
        ({"lower_case": False, "seed": 1},),
    )
    def test_it_is_what_is_read_in_memory(self, options):
        options = CorpusOptions(**options)
        texts = {}
        for user, text in _rows():
            texts.setdefault(user, []).append(text)
        expected = read_in_memory(texts, options)
        with mock.patch.object(grouping, "_CHUNK_ROWS", 7):
            found = grouping.read_rows(_rows(), options)
        for split, clients in expected.clients.items():
            for _ in range(2):
                self.assertEqual(list(found.clients[split]), clients)
            self.assertLen(found.clients[split], len(clients))
            self.assertIn(clients[0][0], found.clients[split])
        self.assertEqual(found.dropped, expected.dropped)

    def test_bad_rows_are_a_sequence(self):
        bad = [BadRow("a.csv", n, f"reason {n} \udc80") for n in range(5)]
        shown = [BadRow("a.csv", n, f"reason {n} \\udc80") for n in range(5)]
        found = grouping.read_rows([*bad[:2], ("a", "x"), *bad[2:]], CorpusOptions()).bad_rows
        self.assertEqual(list(found), shown)
        self.assertEqual(
            (len(found), found[0], found[-1], found[1:3]), (5, shown[0], shown[4], shown[1:3])
        )
        self.assertIn(shown[2], found)
        with self.assertRaises(IndexError):
            found[5]
        self.assertEmpty(grouping.read_rows([], CorpusOptions()).bad_rows)

    def test_memory_does_not_grow_with_the_rows(self):
        def rows(count):
            for number in range(count):
                text = "word " * 20 + str(number)
                yield BadRow("a", number, text) if number % 3 == 0 else (f"u{number % 9}", text)

        def peak(count):
            tracemalloc.start()
            reading = grouping.read_rows(rows(count), CorpusOptions())
            self.assertLen(reading.bad_rows, -(-count // 3))
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return most

        with mock.patch.object(grouping, "_CHUNK_ROWS", 100):
            peak(200)  # What is imported and cached at first.
            self.assertLess(peak(8000), 1.2 * peak(2000))

    def test_no_room_is_one_line(self):
        with mock.patch.object(
            grouping, "_CREATE", "PRAGMA max_page_count = 3; " + grouping._CREATE
        ):
            rows = (("a", "word " * 100) for _ in range(1000))
            with self.assertRaisesRegex(TaskError, "cannot write a temporary file .*TMPDIR"):
                grouping.read_rows(rows, CorpusOptions())


if __name__ == "__main__":
    absltest.main()
