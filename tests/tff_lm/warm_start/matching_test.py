"""Which weights a warm start takes: by name, shape and vocabulary."""

import numpy as np
from absl.testing import absltest, parameterized

from tasks.vocabulary import SPECIAL_PIECES, Vocabulary
from tff_lm.config import ConfigError
from tff_lm.warm_start import matching, report
from tff_lm.warm_start.sources import Source

OLD = Vocabulary([*SPECIAL_PIECES, "the", "##s", "cat"], size=8)
NEW = Vocabulary([*SPECIAL_PIECES, "cat", "dog", "the"], size=9)
SHAPES = {
    "embedding/embeddings": (8, 2),
    "block_0/attention/kernel": (2, 2),
    "block_1/attention/kernel": (2, 2),
    "block_0/feed_forward/kernel": (2, 3),
}


def values(shape, start):
    return start + np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def source(vocabulary=OLD, **changed):
    shapes = {**SHAPES, "old/kernel": (5,), **changed}
    return Source("there", {name: values(s, 100) for name, s in shapes.items()}, vocabulary)


def target(vocabulary=OLD, **changed):
    shapes = {**SHAPES, "embedding/embeddings": (vocabulary.size, 2), "fresh/kernel": (4,)}
    return matching.Target({**shapes, **changed}, vocabulary)


class MatchTest(parameterized.TestCase):
    def test_by_default_all_that_fits_is_loaded(self):
        found = matching.match(source(), target(), "", "same")
        self.assertEqual(found.loaded, tuple(SHAPES))
        self.assertEqual(found.skipped, ("old/kernel",))
        for name in found.loaded:
            np.testing.assert_array_equal(
                found.value(name, np.zeros(SHAPES[name])), values(SHAPES[name], 100)
            )

    def test_a_pattern_loads_exactly_what_it_names(self):
        found = matching.match(source(), target(), "block_1|feed", "same")
        self.assertEqual(found.loaded, ("block_1/attention/kernel", "block_0/feed_forward/kernel"))

    def test_sizes_share_the_parts_of_equal_shape(self):
        wider = source(**{"embedding/embeddings": (8, 7), "block_0/feed_forward/kernel": (2, 9)})
        found = matching.match(wider, target(), "", "same")
        self.assertEqual(found.loaded, ("block_0/attention/kernel", "block_1/attention/kernel"))

    @parameterized.parameters(
        ("feed", {"block_0/feed_forward/kernel": (9, 9)}, r"its shape is \[9, 9\], not \[2, 3\]"),
        ("fresh", {}, "names fresh/kernel, but there is none in there"),
        ("nothing", {}, "nothing in there fits this model and .*'nothing'"),
    )
    def test_what_is_asked_for_must_fit(self, include, changed, message):
        with self.assertRaisesRegex(ConfigError, message):
            matching.match(source(**changed), target(), include, "same")

    def test_another_vocabulary_is_refused_unless_the_embedding_is_left_out(self):
        with self.assertRaisesRegex(ConfigError, "another vocabulary.*task.vocabulary"):
            matching.match(source(), target(Vocabulary(NEW.pieces, size=8)), "", "same")
        found = matching.match(source(), target(NEW), "attention", "same")
        self.assertLen(found.loaded, 2)

    def test_pieces_in_both_vocabularies_keep_their_rows_by_hand(self):
        found = matching.match(source(), target(NEW), "", "transfer")
        initial = values((9, 2), 0)
        moved = found.value("embedding/embeddings", initial)
        given = source().weights["embedding/embeddings"]
        # [PAD] [BOS] [EOS] [UNK] cat dog the, and two rows without a piece.
        expected = [*given[:4], given[6], initial[5], given[4], initial[7], initial[8]]
        np.testing.assert_array_equal(moved, expected)
        np.testing.assert_array_equal(initial, values((9, 2), 0), "the initial value is left alone")

    def test_the_report_is_short_and_adds_up(self):
        found = matching.match(source(), target(NEW), "", "transfer")
        text = report.table(found, target(NEW).shapes)
        self.assertRegex(
            text, r"loaded +4 variables +32 values  embedding, attention, feed_forward"
        )
        self.assertRegex(text, r"fresh +1 variables +4 values  fresh")
        self.assertRegex(text, r"skipped +1 variables +5 values  old")
        self.assertIn("embedding/embeddings: 6 of 9 rows", text)
        self.assertLen(text.splitlines(), 5)


if __name__ == "__main__":
    absltest.main()
