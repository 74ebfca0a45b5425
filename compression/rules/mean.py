"""Weighted sums, and the weighted mean that federated averaging needs.

McMahan et al. 2017 (arXiv 1602.05629), Algorithm 1, the server's line; per variable, over those
clients that trained it. Nothing is kept of a client but its part in the sum.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Sequence

import tensorflow as tf

from compression.parts import Rule, Total, for_each_sent
from compression.registry import RULES
from compression.variables import CodedVariable


@RULES.register("mean")
@dataclasses.dataclass(frozen=True)
class Mean(Rule):
    """The mean of each variable, weighted by the clients' weights for it."""

    def zero(self, variables: Sequence[CodedVariable]) -> Total:
        return OrderedDict(
            sums=[tf.zeros(variable.shape, variable.dtype) for variable in variables],
            weights=tf.zeros([len(variables)]),
        )

    def accumulate(
        self, total: Total, values: Sequence[Callable[[], tf.Tensor]], weights: tf.Tensor
    ) -> Total:
        def add(summed, value, weight):
            return summed + tf.cast(weight, value.dtype) * value

        sums = for_each_sent(total["sums"], values, weights, add)
        return OrderedDict(sums=sums, weights=total["weights"] + weights)

    def merge(self, first: Total, second: Total) -> Total:
        return tf.nest.map_structure(tf.add, first, second)

    def sums_and_weights(self, total: Total) -> tuple[list[tf.Tensor], tf.Tensor]:
        return list(total["sums"]), total["weights"]
