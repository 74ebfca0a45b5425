"""The likeliest next words, as a graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tasks.vocabulary import JOINER, UNK, Vocabulary

# Pieces that may follow a word's first one.
_MORE_PIECES = 5

# int32[N, T], padded with 0 on the right -> float32[N, V], the distribution of the piece after each
NextPieces = Callable[[tf.Tensor], tf.Tensor]


class NextWords:
    """Completes the likeliest first pieces to words.

    Each is continued by its likeliest piece for as long as that is likelier than the word's end. A
    word's probability is that of its pieces times that of no further one: what
    `tff_lm.commands.word_search` gives the word; its wider search may find more words.
    """

    def __init__(self, next_pieces: NextPieces, vocabulary: Vocabulary, count: int):
        """Creates the search for `count` words with the model `next_pieces`."""
        self._next_pieces = next_pieces
        pieces = vocabulary.pieces
        continues = np.array([piece.startswith(JOINER) for piece in pieces])
        learned = np.arange(len(pieces)) > UNK
        unused = vocabulary.size - len(pieces)
        self._first, self._further = (
            tf.constant(np.pad(mask, [0, unused]), tf.float32)
            for mask in (learned & ~continues, learned & continues)
        )
        texts = [
            piece.removeprefix(JOINER) if is_learned else ""
            for piece, is_learned in zip(pieces, learned, strict=True)
        ]
        self._texts = tf.constant(texts + [""] * unused)
        self._count = min(count, int(np.sum(learned & ~continues)))

    @property
    def count(self) -> int:
        """How many words are given."""
        return self._count

    def after(self, context: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """int32[n], beginning with [BOS] -> string[k] and float32[k], likeliest first."""
        start = self._next_pieces(context[tf.newaxis])[0] * self._first
        probability, first = tf.math.top_k(start, self._count)
        contexts = tf.tile(context[tf.newaxis], [self._count, 1])
        ids = tf.concat([contexts, first[:, tf.newaxis]], axis=1)
        ended = tf.zeros([self._count], tf.bool)
        for step in range(_MORE_PIECES + 1):
            following = self._next_pieces(ids)
            ending = 1.0 - tf.linalg.matvec(following, self._further)
            likeliest, piece = tf.math.top_k(following * self._further, 1)
            ends = tf.logical_or(likeliest[:, 0] <= ending, step == _MORE_PIECES)
            factor = tf.where(ends, ending, likeliest[:, 0])
            probability *= tf.where(ended, 1.0, factor)
            ended = tf.logical_or(ended, ends)
            ids = tf.concat([ids, tf.where(ended[:, tf.newaxis], 0, piece)], axis=1)
        words = tf.strings.reduce_join(tf.gather(self._texts, ids[:, tf.size(context) :]), axis=1)
        order = tf.argsort(probability, direction="DESCENDING", stable=True)
        return tf.gather(words, order), tf.gather(probability, order)
