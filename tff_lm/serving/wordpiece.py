"""Text to sub-words with TensorFlow's core operations: a SavedModel needs no TF Text to load."""

from __future__ import annotations

import tensorflow as tf

from tasks import scripts
from tasks.vocabulary import BOS, CONTINUES, SPECIAL_PIECES, UNK, Vocabulary
from tff_lm.serving.normalizer import Normalizer


class WordpieceEncoder(tf.Module):
    """From text to the pieces of `normalize_text` and `Vocabulary.encode`: the longest that fit."""

    def __init__(self, vocabulary: Vocabulary, lower_case: bool):
        """Creates the tables of characters and pieces."""
        super().__init__()
        self._normalizer = Normalizer(lower_case=lower_case)
        self._separates = vocabulary.separates
        keys = vocabulary.learned_keys
        self._longest_piece = max(map(len, keys))
        ids = list(range(len(SPECIAL_PIECES), len(vocabulary.pieces)))
        self._table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, ids, tf.string, tf.int32), default_value=-1
        )

    def encode(self, phrase: tf.Tensor) -> tf.Tensor:
        """string[] -> int32[n]: [BOS] and the pieces of the words; call it in a `tf.function`."""
        text = self._normalizer.normalize(phrase)
        if self._separates:
            text = tf.strings.regex_replace(text, scripts.WORD_PATTERN, scripts.WORD_REWRITE)
        words = tf.strings.split(text)

        def add_word(index, ids):
            return index + 1, tf.concat([ids, self._encode_word(words[index])], 0)

        start = tf.constant(0), tf.constant([BOS])
        shapes = tf.TensorShape([]), tf.TensorShape([None])
        return tf.while_loop(lambda i, _: i < tf.size(words), add_word, start, shapes)[1]

    def _encode_word(self, word: tf.Tensor) -> tf.Tensor:
        """string[] -> int32[k]; a character that no piece begins with is one [UNK]."""
        characters = tf.strings.length(word, unit="UTF8_CHAR")

        def add_piece(start, ids):
            longest = tf.minimum(characters - start, self._longest_piece)
            lengths = tf.range(longest, 0, -1)
            starts = tf.fill(tf.shape(lengths), start)
            texts = tf.strings.substr(word, starts, lengths, unit="UTF8_CHAR")
            prefix = tf.where(start > 0, CONTINUES, "")
            found = self._table.lookup(tf.strings.join([prefix, texts]))
            best = tf.argmax(tf.cast(found >= 0, tf.int32))  # the first, hence the longest
            known = found[best] >= 0
            piece, length = tf.where(known, found[best], UNK), tf.where(known, lengths[best], 1)
            return start + length, tf.concat([ids, piece[tf.newaxis]], 0)

        start = tf.constant(0), tf.zeros([0], tf.int32)
        shapes = tf.TensorShape([]), tf.TensorShape([None])
        return tf.while_loop(lambda begin, _: begin < characters, add_piece, start, shapes)[1]
