"""`tasks.normalization.normalize_text` with TensorFlow's core operations, for a SavedModel."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tff_lm.serving import unicode_tables
from tff_lm.serving.unicode_tables import Mapping1ToN, Tables

_SPACE = 0x20


class Normalizer:
    """Normalizes text in a graph, to the same as in Python for any valid UTF-8."""

    def __init__(self, *, lower_case: bool) -> None:
        """Reads the tables."""
        self._lower_case = lower_case
        self._tables: Tables = unicode_tables.tables()

    def normalize(self, text: tf.Tensor) -> tf.Tensor:
        """string[] -> string[]; what is not UTF-8 becomes U+FFFD."""
        tables = self._tables
        points = tf.strings.unicode_decode(text, "UTF-8")
        points = self._compose(_mapped(points, tables.marks))
        if self._lower_case:
            points = _mapped(self._with_final_sigmas(points), tables.lower_case)
        points = tf.where(_is_in(points, tables.spaces), _SPACE, points)
        points = tf.boolean_mask(points, ~self._is_dropped(points))
        points = _mapped(self._compose(points), tables.marks)
        normalized = tf.strings.unicode_encode(points, "UTF-8")
        return tf.strings.strip(tf.strings.regex_replace(normalized, " +", " "))

    def _is_dropped(self, points: tf.Tensor) -> tf.Tensor:
        """bool[n]: unprintable and no white space."""
        starts, ends = self._tables.dropped_starts, self._tables.dropped_ends
        index = tf.searchsorted(tf.constant(starts), points, side="right") - 1
        return (index >= 0) & (points <= tf.gather(ends, tf.maximum(index, 0)))

    def _with_final_sigmas(self, points: tf.Tensor) -> tf.Tensor:
        """A capital sigma that ends a word becomes its small form (Unicode 3.13, Final_Sigma)."""
        regarded = tf.where(~_is_in(points, self._tables.case_ignorable))[:, 0]
        cased = tf.pad(_is_in(tf.gather(points, regarded), self._tables.cased), [[1, 1]])
        ends_word = tf.scatter_nd(
            regarded[:, tf.newaxis],
            tf.cast(cased[:-2] & ~cased[2:], tf.int32),
            tf.shape(points, tf.int64),
        )
        is_sigma = tf.equal(points, ord(unicode_tables.CAPITAL_SIGMA))
        return tf.where(is_sigma & (ends_word > 0), ord(unicode_tables.FINAL_SIGMA), points)

    def _compose(self, points: tf.Tensor) -> tf.Tensor:
        """int32[n] -> int32[m], in the normal form NFKC (Unicode Standard Annex 15)."""
        points = _mapped(points, self._tables.decompositions)
        classes = self._combining_classes(points)
        # Marks are put in order between two characters that are none.
        segments = tf.cumsum(tf.cast(tf.equal(classes, 0), tf.int32))
        order = tf.argsort(segments * 256 + classes, stable=True)
        points, classes = tf.gather(points, order), tf.gather(classes, order)

        def step(index, points, starter, last):
            """`last`: class of the last mark that was left behind `starter`; -1 if none was."""
            own = classes[index]
            pair = tf.stack([points[tf.maximum(starter, 0)], points[index]])
            composite = self._composite(pair)
            composes = (starter >= 0) & (last < own) & (composite >= 0)
            where = tf.stack([[tf.maximum(starter, 0)], [index]])
            joined = tf.tensor_scatter_nd_update(points, where, tf.stack([composite, -1]))
            starts = tf.equal(own, 0) & ~composes
            return (
                index + 1,
                tf.where(composes, joined, points),
                tf.where(starts, index, starter),
                tf.where(composes, last, tf.where(starts, -1, own)),
            )

        begin = tf.constant(0), points, tf.constant(-1), tf.constant(-1)
        points = tf.while_loop(lambda index, *_: index < tf.size(points), step, begin)[1]
        return tf.boolean_mask(points, points >= 0)

    def _combining_classes(self, points: tf.Tensor) -> tf.Tensor:
        table = self._tables.combining_classes
        index, found = _search(points, table.keys)
        return tf.where(found, tf.gather(table.values, index), 0)

    def _composite(self, pair: tf.Tensor) -> tf.Tensor:
        """int32[2] -> int32[], what two characters compose to; -1 if they do not."""
        wide = tf.cast(pair, tf.int64)
        key = tf.bitwise.bitwise_or(
            tf.bitwise.left_shift(wide[0], unicode_tables.PAIR_SHIFT), wide[1]
        )
        index, found = _search(key[tf.newaxis], self._tables.pairs)
        return tf.where(found, tf.gather(self._tables.composites, index), -1)[0]


def _search(points: tf.Tensor, keys: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
    """Where each of int[n] is among ascending keys: int32[n], and bool[n] whether it is there."""
    index = tf.minimum(tf.searchsorted(tf.constant(keys), points), len(keys) - 1)
    return index, tf.equal(tf.gather(keys, index), points)


def _is_in(points: tf.Tensor, keys: np.ndarray) -> tf.Tensor:
    return _search(points, keys)[1]


def _mapped(points: tf.Tensor, mapping: Mapping1ToN) -> tf.Tensor:
    """int32[n] -> int32[m]: each code point, or what it is mapped to."""
    index, found = _search(points, mapping.keys)
    lengths = tf.where(found, tf.gather(mapping.lengths, index), 1)
    owner = tf.repeat(tf.range(tf.size(points)), lengths)
    offset = tf.range(tf.size(owner)) - tf.gather(tf.cumsum(lengths, exclusive=True), owner)
    own_index = tf.gather(index, owner)
    return tf.where(
        tf.gather(found, owner),
        tf.gather(mapping.values, tf.gather(mapping.starts, own_index) + offset),
        tf.gather(points, owner),
    )
