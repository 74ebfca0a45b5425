import random

from absl.testing import absltest, parameterized

from tasks import vocabulary_learning
from tasks.errors import TaskError
from tasks.vocabulary import JOINER, SPECIAL_PIECES
from tests.tasks import fixtures


class LearnTest(parameterized.TestCase):
    @parameterized.parameters(100, 300, 500)
    def test_fills_the_rows_exactly_when_the_text_allows(self, size):
        rng = random.Random(0)
        counts = {
            "".join(rng.choices("etaoinshrdlu", k=rng.randint(1, 9))): 1 + 20_000 // rank
            for rank in range(1, 3000)
        }
        learned = vocabulary_learning.learn(counts, size)
        self.assertEqual(learned.size, size)
        self.assertLen(learned.pieces, size)
        self.assertEqual(learned.pieces[:4], SPECIAL_PIECES)

    def test_frequent_words_become_pieces(self):
        counts = vocabulary_learning.count_words(fixtures.sentences(500, seed=2))
        learned = vocabulary_learning.learn(counts, 110)
        self.assertContainsSubset(["while", "cat", "think"], learned.pieces)

    def test_little_text_leaves_rows_unused(self):
        learned = vocabulary_learning.learn({"ab": 3}, 100)
        self.assertLess(len(learned.pieces), 20)
        self.assertEqual(learned.size, 100)

    def test_every_seen_character_is_a_piece(self):
        learned = vocabulary_learning.learn({"ab": 1000, "z" * 60: 1, "##q": 1}, 50)
        for character in "abzq#":
            self.assertIn(character, learned.pieces)
            self.assertIn(JOINER + character, learned.pieces)

    def test_is_deterministic(self):
        counts = vocabulary_learning.count_words(fixtures.sentences(300, seed=1))
        one, other = vocabulary_learning.learn(counts, 250), vocabulary_learning.learn(counts, 250)
        self.assertEqual(one.hash, other.hash)

    def test_a_large_alphabet_takes_half_at_most(self):
        counts = {chr(0x4E00 + number): 1000 - number for number in range(500)}
        learned = vocabulary_learning.learn(counts, 100)
        self.assertIn(chr(0x4E00), learned.pieces)
        self.assertNotIn(chr(0x4E00 + 499), learned.pieces)
        self.assertLessEqual(len(learned.pieces), 100)

    def test_letters_of_text_without_spaces_are_words(self):
        characters = [chr(0x4E00 + number) for number in range(40)]
        counts = {"".join(characters[: number + 1]): 1 for number in range(40)} | {"okay": 9}
        vocabulary = vocabulary_learning.learn(counts, 60)
        self.assertTrue(vocabulary.separates)
        pieces = set(vocabulary.pieces)
        # All of them, beyond the half that an alphabet has elsewhere, and none twice.
        self.assertContainsSubset([*characters, "##k", "##y"], pieces)
        self.assertNoCommonElements(["##" + each for each in characters], pieces)

    def test_where_there_are_more_letters_than_rows_the_frequent_ones_are_pieces(self):
        # The most frequent ones are the last of the alphabet.
        characters = [chr(0x5000 - number) for number in range(40)]
        counts = {"".join(characters[: number + 1]): 1 for number in range(40)}
        learned = vocabulary_learning.learn(counts, 30).pieces[len(SPECIAL_PIECES) :]
        self.assertCountEqual(learned, characters[:26])

    def test_few_such_letters_change_nothing(self):
        counts = {"word": 30, "a天天": 1}
        vocabulary = vocabulary_learning.learn(counts, 60)
        self.assertFalse(vocabulary.separates)
        self.assertContainsSubset(["天", "##天"], vocabulary.pieces)

    def test_refuses_nothing(self):
        with self.assertRaisesRegex(TaskError, "no words"):
            vocabulary_learning.learn({}, 100)
        with self.assertRaisesRegex(TaskError, "too small"):
            vocabulary_learning.learn({"a": 1}, 4)


if __name__ == "__main__":
    absltest.main()
