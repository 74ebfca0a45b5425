import string

from absl.testing import absltest, parameterized
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import TaskError
from tasks.vocabulary import BOS, EOS, SPECIAL_PIECES, Vocabulary
from tasks.windows import Windows

_LETTERS = string.ascii_lowercase
_PIECES = [*SPECIAL_PIECES, *_LETTERS, *("##" + each for each in _LETTERS + '.!")'), "。", '."']
VOCABULARY = Vocabulary(_PIECES, size=70)


def ids_of(pieces):
    return [VOCABULARY.pieces.index(piece) for piece in pieces.split()]


def ends_of(pieces, max_length):
    """The last piece of each window but the last one."""
    rows = Windows(VOCABULARY, max_length).rows(ids_of(pieces))
    return [VOCABULARY.piece(row[-1]) for row in rows[:-1]]


class WindowsTest(parameterized.TestCase):
    def test_what_fits_is_one_row(self):
        for length in range(6):
            ids = list(range(4, 4 + length))
            self.assertEqual(Windows(VOCABULARY, 6).rows(ids), [[BOS, *ids, EOS]])

    @given(st.lists(st.integers(3, len(_PIECES) - 1), max_size=60), st.integers(2, 12))
    def test_nothing_is_lost_and_nothing_is_cut(self, ids, max_length):
        rows = Windows(VOCABULARY, max_length).rows(ids)
        self.assertEqual([each for row in rows for each in row[1:]], [*ids, EOS])
        for row in rows:
            self.assertEqual(row[0], BOS)
            self.assertBetween(len(row), 2, max_length + 1)
        if len(rows) > 1:
            # The end of the text is no row by itself.
            self.assertGreater(len(rows[-1]), 2)

    @parameterized.parameters(
        # A sentence that ends in the second half of six.
        ("a b c ##. d e f g h", ["##."]),
        ('a b c ##! ##" d e f g', ['##"']),
        ('a b c ." d e f g h', ['."']),
        ("a b c d 。 e f g", ["。"]),
        # In the first half: too little for a window.
        ("a ##. c d e f g h", ["f"]),
        # A stop within a word ends nothing.
        ("a b c d ##. ##e f g h", ["##e"]),
        ("a b c d ##e ##f ##g ##h", ["c"]),
        ("a ##b ##c ##d ##e ##f ##g ##h", ["##f"]),
    )
    def test_where_windows_end(self, pieces, ends):
        self.assertEqual(ends_of(pieces, 6), ends)

    def test_refuses_rows_of_one(self):
        with self.assertRaisesRegex(TaskError, "max_length is a whole number of at least 2, not 1"):
            Windows(VOCABULARY, 1)


if __name__ == "__main__":
    absltest.main()
