import hashlib
import os
import string
import subprocess
import sys

import numpy as np
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks import vocabulary_learning
from tasks.errors import TaskError
from tasks.vocabulary import BOS, EOS, PAD, SPECIAL_PIECES, UNK, Vocabulary
from tests.tasks import fixtures

_TEXTS = fixtures.sentences(300, seed=1) + [string.printable[:94]]
_ALPHABET = st.sampled_from(string.printable[:94])
_WORDS = st.lists(st.text(_ALPHABET, min_size=1, max_size=200), min_size=1, max_size=8)


class EncodeTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vocabulary = vocabulary_learning.learn(vocabulary_learning.count_words(_TEXTS), 450)

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

    def test_only_unseen_characters_are_unknown(self):
        for text, decoded, words in (
            ("the caté sat", "the cat [UNK] sat", 3),
            ("the écat sat", "the [UNK]cat sat", 2),
            ("caétcaté", "ca [UNK]tcat [UNK]", 1),
            ("éé cat", "[UNK] [UNK] cat", 1),
            ("é" * 3 + "z" * 300, "[UNK] [UNK] [UNK]" + "z" * 300, 0),
        ):
            (ids,) = self.vocabulary.encode([text])
            self.assertEqual(self.vocabulary.decode(ids), decoded)
            self.assertEqual(ids.count(UNK), text.count("é"))
            self.assertEqual(np.sum(self.vocabulary.starts_word[ids]), words)

    def test_the_rest_of_such_a_word_has_the_longest_pieces(self):
        (known,) = self.vocabulary.encode(["mat"])
        (ids,) = self.vocabulary.encode(["mat\u2603"])
        self.assertEqual(ids, [*known, UNK])

    def test_long_words_are_not_unknown(self):
        word = "z" * 5000
        (ids,) = self.vocabulary.encode([word])
        self.assertEqual(self.vocabulary.decode(ids), word)

    def test_nothing(self):
        self.assertEqual(self.vocabulary.encode([]), [])
        self.assertEqual(self.vocabulary.encode(["", "a"])[0], [])

    def test_special_pieces_start_no_word(self):
        self.assertFalse(self.vocabulary.starts_word[: len(SPECIAL_PIECES)].any())
        self.assertFalse(self.vocabulary.separates)

    def test_decode_leaves_out_the_frame(self):
        (ids,) = self.vocabulary.encode(["a cat"])
        self.assertEqual(self.vocabulary.decode([BOS, *ids, EOS, PAD]), "a cat")
        with self.assertRaisesRegex(TaskError, "no piece has the id 450"):
            self.vocabulary.decode([450])


class UnspacedTest(absltest.TestCase):
    """A vocabulary whose letters are words."""

    vocabulary = Vocabulary([*SPECIAL_PIECES, "今", "天", "。", "ก", "กี่", "##ี", "o", "##k"])

    def test_letters_are_words(self):
        self.assertTrue(self.vocabulary.separates)
        (ids,) = self.vocabulary.encode(["今天ok今好。 กี่กี"])
        pieces = ["今", "天", "o", "##k", "今", "[UNK]", "。", "กี่", "ก", "##ี"]
        self.assertEqual([self.vocabulary.piece(index) for index in ids], pieces)
        self.assertEqual(self.vocabulary.decode(ids), "今天ok今[UNK]。กี่กี")

    def test_where_letters_continue_words_they_are_none(self):
        both = Vocabulary([*self.vocabulary.pieces, "##天"])
        self.assertFalse(both.separates)
        (ids,) = both.encode(["今天 今"])
        self.assertEqual([both.piece(index) for index in ids], ["今", "##天", "今"])
        self.assertEqual(both.decode(ids), "今天 今")


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

    def test_a_colleague_can_read_it_where_the_umask_lets_them(self):
        before = os.umask(0o022)
        try:
            Vocabulary([*SPECIAL_PIECES, "a"]).save(self.path)
        finally:
            os.umask(before)
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o644)
        self.assertEqual(os.listdir(self.folder), [os.path.basename(self.path)])

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
