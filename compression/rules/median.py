"""The coordinate-wise median: no minority of clients can carry it away.

Yin et al. 2018, "Byzantine-Robust Distributed Learning" (arXiv 1803.01498), Algorithm 1, option I.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import tensorflow as tf

from compression.parts import Rule, Total, for_each_sent
from compression.registry import RULES
from compression.variables import CodedVariable


@RULES.register("median")
@dataclasses.dataclass(frozen=True)
class Median(Rule):
    """Of each value, over the clients that trained its variable; the size of weights is ignored.

    The mean of the two middle values if their number is even. The weight of a variable that
    somebody trained is 1. The server keeps every decoded update until the end of the round: memory
    is the cohort times the model, and each client costs a copy of all before it, so it suits small
    models or cohorts.
    """

    def zero(self, variables: Sequence[CodedVariable]) -> Total:
        # A placeholder with a default hides the static shape: the type says [?, ...].
        return [
            tf.compat.v1.placeholder_with_default(
                tf.zeros([0, *variable.shape], variable.dtype), [None, *variable.shape]
            )
            for variable in variables
        ]

    def accumulate(
        self, total: Total, values: Sequence[Callable[[], tf.Tensor]], weights: tf.Tensor
    ) -> Total:
        def append(rows, value, weight):
            del weight
            return tf.concat([rows, value[tf.newaxis]], axis=0)

        return for_each_sent(total, values, weights, append)

    def merge(self, first: Total, second: Total) -> Total:
        return [tf.concat(rows, axis=0) for rows in zip(first, second, strict=True)]

    def sums_and_weights(self, total: Total) -> tuple[list[tf.Tensor], tf.Tensor]:
        trained = [tf.cast(tf.shape(rows)[0] > 0, tf.float32) for rows in total]
        return [_median(rows) for rows in total], tf.stack(trained)


def _median(rows: tf.Tensor) -> tf.Tensor:
    """[...] of [n, ...]; zeros if n is 0."""

    def middle():
        count = tf.shape(rows)[0]
        ordered = tf.sort(rows, axis=0)
        low, high = tf.gather(ordered, (count - 1) // 2), tf.gather(ordered, count // 2)
        return tf.cast(0.5, rows.dtype) * low + tf.cast(0.5, rows.dtype) * high

    return tf.cond(tf.shape(rows)[0] > 0, middle, lambda: tf.zeros(rows.shape[1:], rows.dtype))
