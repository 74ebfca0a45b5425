"""Exported models, loaded by TensorFlow alone and against the code that wrote them."""

# bazel: size = large

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import pathlib
import subprocess
import sys
import textwrap

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tasks.normalization import normalize_text
from tasks.vocabulary import SPECIAL_PIECES, Vocabulary
from tff_lm.commands.word_search import WordSearch
from tff_lm.models import build_model
from tff_lm.serving import saved_model
from tff_lm.serving.trained_model import next_piece_probabilities
from tff_lm.serving.wordpiece import WordpieceEncoder
from tff_lm.warm_start import sources

LEARNED = (
    *("how", "are", "you", "t", "o", "d", "a", "y", "'", "é", "to"),
    *("##s", "##o", "##d", "##a", "##y", "##day", "##é"),
)
VOCABULARY = Vocabulary([*SPECIAL_PIECES, *LEARNED], size=30)
PHRASES = ["how are", "", "HOW  todays 'zz [EOS] ##s é"]

_LOAD = """
import sys
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
answer = model.signatures["next_words"](phrases=tf.constant(sys.argv[2:]))
for words, shares in zip(answer["words"].numpy(), answer["probabilities"].numpy()):
    print([word.decode() for word in words], shares.tolist())
assert not any(name.split(".")[0] in ("tff_lm", "tasks", "tensorflow_text") for name in sys.modules)
"""


UNSPACED = Vocabulary([*SPECIAL_PIECES, "今", "天", "กี่", "##ี", "ก", "o", "##k"], size=14)


class EncoderTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.encoders = {
            vocabulary: tf.function(
                WordpieceEncoder(vocabulary, lower_case=True).encode,
                input_signature=[tf.TensorSpec([], tf.string)],
            )
            for vocabulary in (VOCABULARY, UNSPACED)
        }

    def check(self, vocabulary, phrase):
        ids = self.encoders[vocabulary](tf.constant(phrase)).numpy().tolist()
        text = normalize_text(phrase, lower_case=True)
        self.assertEqual(ids, [1, *vocabulary.encode([text])[0]])

    @parameterized.parameters(
        *PHRASES, "today", "todaydaydays", "\u2019 a\u2019s", "x", "xday a", "tox oé", "day\tto\n a"
    )
    def test_it_cuts_as_the_vocabulary_does(self, phrase):
        self.check(VOCABULARY, phrase)

    @parameterized.parameters(
        "how\u00a0are", "\uff28\uff4f\uff57 are", "to\u200bday", "e\u0301 ", "to\u2014day", "todxay"
    )
    def test_it_normalizes_as_training_does(self, phrase):
        self.check(VOCABULARY, phrase)

    @parameterized.parameters("今天ok今好", "ok กี่กี\u3000天。ok", "x今")
    def test_it_cuts_text_without_spaces(self, phrase):
        self.check(UNSPACED, phrase)


class SavedModelTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(absltest.TEST_TMPDIR.value) / "saved_model_test"
        cls.folder = folder / "exported"
        VOCABULARY.save(str(folder / "vocabulary.txt"))
        cls.model = build_model("transformer_tiny", VOCABULARY.size, seed=2)
        # Sharper than a model that knows nothing.
        cls.model.embedding.embeddings.assign(cls.model.embedding.embeddings * 3.0)
        saved_model.save(
            cls.model,
            VOCABULARY,
            str(cls.folder),
            vocabulary_path=str(folder / "vocabulary.txt"),
            lower_case=True,
            max_context=4,
            count=3,
        )
        cls.loaded = tf.saved_model.load(str(cls.folder))

    def test_the_distribution_is_the_models_own(self):
        tokens = np.array([[1, 5, 6, 0], [1, 4, 0, 0], [1, 7, 8, 9]], np.int32)
        given = self.loaded.signatures["next_pieces"](tokens=tf.constant(tokens))
        for row, shares in zip(tokens, given["probabilities"].numpy(), strict=True):
            expected = next_piece_probabilities(
                self.model, row[np.newaxis, : np.count_nonzero(row)]
            )
            np.testing.assert_allclose(shares, expected[0], atol=1e-6)

    def test_words_have_the_probability_that_the_search_gives_them(self):
        def next_pieces(ids):
            return next_piece_probabilities(self.model, ids)

        search = WordSearch(next_pieces, VOCABULARY, width=500, max_pieces=7)
        for phrase in ("how are", ""):
            given = self.loaded.signatures["next_words"](phrases=tf.constant([phrase]))
            words = [word.decode() for word in given["words"][0].numpy()]
            shares = given["probabilities"][0].numpy()
            self.assertLen(words, 3)
            self.assertEqual(sorted(shares, reverse=True), shares.tolist())
            context = [1, *VOCABULARY.encode([phrase])[0]]
            found = search.likeliest(context, 3000)
            for word, share in zip(words, shares, strict=True):
                # A word may be spelled in several ways, each of them found.
                errors = [abs(each.probability - share) for each in found if each.word == word]
                self.assertLess(min(errors), 1e-5, word)

    def test_a_long_phrase_is_cut_to_its_end(self):
        next_words = self.loaded.signatures["next_words"]
        long, short = (
            next_words(phrases=tf.constant([phrase]))["probabilities"].numpy()
            for phrase in ("to to to how are you how", "how are you how")
        )
        np.testing.assert_array_equal(long, short)

    def test_tensorflow_alone_loads_it(self):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(_LOAD), str(self.folder), *PHRASES],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLen(done.stdout.splitlines(), len(PHRASES))

    def test_it_is_a_source_of_a_warm_start(self):
        source = sources.read(self.folder, "best")
        self.assertEqual(source.vocabulary.hash, VOCABULARY.hash)
        values = zip(self.model.weight_names, self.model.trainable_variables, strict=True)
        self.assertSameElements(source.weights, self.model.weight_names)
        for name, variable in values:
            np.testing.assert_array_equal(source.weights[name], variable.numpy())


if __name__ == "__main__":
    absltest.main()
