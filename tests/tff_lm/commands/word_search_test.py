"""The word search against all words of a small random model, enumerated."""

import itertools

import numpy as np
from absl.testing import absltest, parameterized

from tasks.vocabulary import BOS, JOINER, SPECIAL_PIECES, UNK, Vocabulary
from tff_lm.commands.word_search import WordSearch

VOCABULARY = Vocabulary([*SPECIAL_PIECES, "a", "b", "c", "##x", "##y"], size=12)
FIRST = [VOCABULARY.pieces.index(piece) for piece in "abc"]
FURTHER = [VOCABULARY.pieces.index(piece) for piece in ("##x", "##y")]


def random_model(seed, sharpness):
    """A distribution that depends on the whole sequence."""

    def next_pieces(tokens):
        rows = []
        for sequence in tokens:
            logits = np.random.default_rng([seed, *sequence]).normal(size=VOCABULARY.size)
            rows.append(np.exp(sharpness * logits))
        return np.array(rows) / np.sum(rows, axis=1, keepdims=True)

    return next_pieces


def all_words(next_pieces, context, max_pieces):
    """Every word of at most `max_pieces` pieces with its probability."""
    found = {}
    for length in range(max_pieces):
        for pieces in itertools.product(FIRST, *[FURTHER] * length):
            probability, sequence = 1.0, list(context)
            for piece in pieces:
                probability *= next_pieces(np.array([sequence]))[0, piece]
                sequence.append(piece)
            probability *= 1.0 - next_pieces(np.array([sequence]))[0, FURTHER].sum()
            found[VOCABULARY.decode(pieces)] = probability
    return found


class NextWordsTest(parameterized.TestCase):
    @parameterized.product(seed=(0, 1, 2, 3), sharpness=(0.5, 2.0))
    def test_finds_the_likeliest_words_and_their_probabilities(self, seed, sharpness):
        model = random_model(seed, sharpness)
        expected = all_words(model, [BOS, 5], max_pieces=4)
        found = WordSearch(model, VOCABULARY, width=200, max_pieces=4).likeliest([BOS, 5], 6)
        best = sorted(expected.items(), key=lambda item: -item[1])[:6]
        self.assertEqual([each.word for each in found], [word for word, _ in best])
        for each in found:
            self.assertAlmostEqual(each.probability, expected[each.word], places=10)

    def test_never_suggests_special_pieces_or_continuations_alone(self):
        certain = np.full(VOCABULARY.size, 1e-4)
        certain[[BOS, UNK, FURTHER[0]]] = 1.0

        def model(tokens):
            return np.tile(certain / certain.sum(), (len(tokens), 1))

        for each in WordSearch(model, VOCABULARY).likeliest([BOS], 50):
            self.assertIn(each.word[0], "abc")
            self.assertNotIn(JOINER, each.word)


if __name__ == "__main__":
    absltest.main()
