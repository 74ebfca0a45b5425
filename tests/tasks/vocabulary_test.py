import hashlib
import os
import random
import string
import subprocess
import sys

import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks import vocabulary
from tasks.errors import TaskError
from tasks.vocabulary import BOS, EOS, JOINER, PAD, SPECIAL_PIECES, UNK, Vocabulary
from tests.tasks import fixtures

_TEXTS = fixtures.sentences(300, seed=1) + [string.printable[:94]]
_ALPHABET = st.sampled_from(string.printable[:94])
_WORDS = st.lists(st.text(_ALPHABET, min_size=1, max_size=200), min_size=1, max_size=8)


class LearnTest(parameterized.TestCase):
    @parameterized.parameters(100, 300, 500)
    def test_fills_the_rows_exactly_when_the_text_allows(self, size):
        rng = random.Random(0)
        counts = {
            "".join(rng.choices("etaoinshrdlu", k=rng.randint(1, 9))): 1 + 20_000 // rank
            for rank in range(1, 3000)
        }
        learned = vocabulary.learn(counts, size)
        self.assertEqual(learned.size, size)
        self.assertLen(learned.pieces, size)
        self.assertEqual(learned.pieces[:4], SPECIAL_PIECES)

    def test_frequent_words_become_pieces(self):
        counts = vocabulary.count_words(fixtures.sentences(500, seed=2))
        learned = vocabulary.learn(counts, 110)
        self.assertContainsSubset(["while", "cat", "think"], learned.pieces)

    def test_little_text_leaves_rows_unused(self):
        learned = vocabulary.learn({"ab": 3}, 100)
        self.assertLess(len(learned.pieces), 20)
        self.assertEqual(learned.size, 100)

    def test_every_seen_character_is_a_piece(self):
        learned = vocabulary.learn({"ab": 1000, "z" * 60: 1, "##q": 1}, 50)
        for character in "abzq#":
            self.assertIn(character, learned.pieces)
            self.assertIn(JOINER + character, learned.pieces)

    def test_is_deterministic(self):
        counts = vocabulary.count_words(_TEXTS)
        one, other = vocabulary.learn(counts, 250), vocabulary.learn(counts, 250)
        self.assertEqual(one.hash, other.hash)

    def test_a_large_alphabet_takes_half_at_most(self):
        counts = {chr(0x4E00 + number): 1000 - number for number in range(500)}
        learned = vocabulary.learn(counts, 100)
        self.assertIn(chr(0x4E00), learned.pieces)
        self.assertNotIn(chr(0x4E00 + 499), learned.pieces)
        self.assertLessEqual(len(learned.pieces), 100)

    def test_refuses_nothing(self):
        with self.assertRaisesRegex(TaskError, "no words"):
            vocabulary.learn({}, 100)
        with self.assertRaisesRegex(TaskError, "too small"):
            vocabulary.learn({"a": 1}, 4)


class EncodeTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vocabulary = vocabulary.learn(vocabulary.count_words(_TEXTS), 450)

    @settings(deadline=None, max_examples=200)
    @given(st.lists(_WORDS, max_size=4))
    def test_round_trip_and_words_can_be_counted(self, sentences_of_words):
        texts = [" ".join(words) for words in sentences_of_words]
        encoded = self.vocabulary.encode(texts)
        self.assertEqual([self.vocabulary.decode(ids) for ids in encoded], texts)
        for words, ids in zip(sentences_of_words, encoded, strict=True):
            self.assertNotIn(UNK, ids)
            self.assertEqual(np.sum(self.vocabulary.starts_word[ids]), len(words))

    def test_what_looks_special_is_not(self):
        for text in ("[PAD] [EOS] [UNK] [BOS]", "##s ## ###"):
            (ids,) = self.vocabulary.encode([text])
            self.assertNoCommonElements(ids, [PAD, BOS, EOS, UNK])
            self.assertEqual(self.vocabulary.decode(ids), text)

    def test_a_word_with_an_unseen_character_is_one_unknown_word(self):
        (ids,) = self.vocabulary.encode(["the caté sat"])
        self.assertEqual(np.sum(self.vocabulary.starts_word[ids]), 3)
        self.assertEqual(ids.count(UNK), 1)
        self.assertEqual(self.vocabulary.decode(ids), "the [UNK] sat")

    def test_long_words_are_not_unknown(self):
        word = "z" * 5000
        (ids,) = self.vocabulary.encode([word])
        self.assertEqual(self.vocabulary.decode(ids), word)

    def test_nothing(self):
        self.assertEqual(self.vocabulary.encode([]), [])
        self.assertEqual(self.vocabulary.encode(["", "a"])[0], [])

    def test_special_pieces_start_no_word_but_unknown_does(self):
        starts = self.vocabulary.starts_word[: len(SPECIAL_PIECES)]
        self.assertSequenceEqual(starts.tolist(), [False, False, False, True])

    def test_decode_leaves_out_the_frame(self):
        (ids,) = self.vocabulary.encode(["a cat"])
        self.assertEqual(self.vocabulary.decode([BOS, *ids, EOS, PAD]), "a cat")
        with self.assertRaisesRegex(TaskError, "no piece has the id 450"):
            self.vocabulary.decode([450])


class FileTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path
        self.path = os.path.join(self.folder, "vocabulary.txt")

    def test_loads_what_was_saved(self):
        saved = Vocabulary([*SPECIAL_PIECES, "a", "##b", "\u2603"], size=9)
        saved.save(self.path)
        loaded = Vocabulary.load(self.path)
        self.assertEqual((loaded.pieces, loaded.size), (saved.pieces, 9))
        self.assertEqual(loaded.hash, saved.hash)
        self.assertEqual(loaded.piece(8), "[unused]")
        self.assertFalse(loaded.starts_word[8])
        self.assertEqual(os.listdir(self.folder), ["vocabulary.txt"])

    def test_hash_is_of_the_file(self):
        saved = Vocabulary([*SPECIAL_PIECES, "a"])
        saved.save(self.path)
        with open(self.path, "rb") as file:
            self.assertEqual(hashlib.sha256(file.read()).hexdigest(), saved.hash)

    def test_refuses_damaged_files(self):
        contents = {
            "cut short": "[PAD]\n[BOS]\n[EOS]\n[UNK]\nab",
            "begins with": "a\nb\nc\nd\n",
            "each piece once": "[PAD]\n[BOS]\n[EOS]\n[UNK]\na\na\n",
            "no white space": "[PAD]\n[BOS]\n[EOS]\n[UNK]\na b\n",
        }
        for message, content in contents.items():
            with open(self.path, "w", encoding="utf-8") as file:
                file.write(content)
            with self.assertRaisesRegex(TaskError, message):
                Vocabulary.load(self.path)
        with self.assertRaisesRegex(TaskError, "cannot read the vocabulary"):
            Vocabulary.load(os.path.join(self.folder, "none"))

    def test_use_without_tokenizing_imports_no_tensorflow(self):
        Vocabulary([*SPECIAL_PIECES, "a"]).save(self.path)
        program = (
            "import sys; from tasks.vocabulary import Vocabulary; import tasks.task;"
            f"Vocabulary.load({self.path!r}).decode([4]); sys.exit('tensorflow' in sys.modules)"
        )
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-c", program], check=True, env=environment)


if __name__ == "__main__":
    absltest.main()
