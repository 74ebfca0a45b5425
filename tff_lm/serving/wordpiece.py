"""Text to sub-words with TensorFlow's core operations: a SavedModel needs no TF Text to load."""

from __future__ import annotations

import tensorflow as tf

from tasks.vocabulary import BOS, JOINER, SPECIAL_PIECES, UNK, Vocabulary

# As in `tasks.vocabulary`: no word holds a space, so what is typed is never taken for such a key.
_CONTINUES = " "
_LONGEST_PIECE = 50


class WordpieceEncoder(tf.Module):
    """Cuts words into pieces as `Vocabulary.encode` does: the longest that fits, then the next."""

    def __init__(self, vocabulary: Vocabulary, lower_case: bool):
        """Creates the table of pieces."""
        super().__init__()
        self._lower_case = lower_case
        learned = vocabulary.pieces[len(SPECIAL_PIECES) :]
        keys = [
            _CONTINUES + piece.removeprefix(JOINER) if piece.startswith(JOINER) else piece
            for piece in learned
        ]
        ids = list(range(len(SPECIAL_PIECES), len(vocabulary.pieces)))
        self._table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, ids, tf.string, tf.int32), default_value=-1
        )

    def encode(self, phrase: tf.Tensor) -> tf.Tensor:
        """string[] -> int32[n]: [BOS] and the pieces of the words; call it in a `tf.function`.

        Curly quotes become straight ones and, where the model was trained so, the case is lowered;
        of the normalization of `tasks.normalization` that is all.
        """
        phrase = tf.strings.regex_replace(phrase, "[\u2018\u2019]", "'")
        phrase = tf.strings.regex_replace(phrase, "[\u201c\u201d]", '"')
        if self._lower_case:
            phrase = tf.strings.lower(phrase, encoding="utf-8")
        words = tf.strings.split(phrase)

        def add_word(index, ids):
            return index + 1, tf.concat([ids, self._encode_word(words[index])], 0)

        start = tf.constant(0), tf.constant([BOS])
        shapes = tf.TensorShape([]), tf.TensorShape([None])
        return tf.while_loop(lambda i, _: i < tf.size(words), add_word, start, shapes)[1]

    def _encode_word(self, word: tf.Tensor) -> tf.Tensor:
        """string[] -> int32[k]; one [UNK] where a rest of the word cannot be spelled."""
        characters = tf.strings.length(word, unit="UTF8_CHAR")

        def add_piece(start, ids):
            longest = tf.minimum(characters - start, _LONGEST_PIECE)
            lengths = tf.range(longest, 0, -1)
            starts = tf.fill(tf.shape(lengths), start)
            texts = tf.strings.substr(word, starts, lengths, unit="UTF8_CHAR")
            prefix = tf.where(start > 0, _CONTINUES, "")
            found = self._table.lookup(tf.strings.join([prefix, texts]))
            best = tf.argmax(tf.cast(found >= 0, tf.int32))  # the first, hence the longest
            known = found[best] >= 0
            end = tf.where(known, start + lengths[best], characters)
            grown = tf.concat([ids, found[best : best + 1]], 0)
            return end, tf.cond(known, lambda: grown, lambda: tf.constant([UNK]))

        start = tf.constant(0), tf.zeros([0], tf.int32)
        shapes = tf.TensorShape([]), tf.TensorShape([None])
        return tf.while_loop(lambda begin, _: begin < characters, add_piece, start, shapes)[1]
