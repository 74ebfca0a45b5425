"""Weighted sums as they are: for what divides by a number of its own, such as TFF's privacy."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from compression.parts import Total
from compression.registry import RULES
from compression.rules.mean import Mean


@RULES.register("sum")
@dataclasses.dataclass(frozen=True)
class Sum(Mean):
    """The weighted sum of each variable; the weight of one that somebody trained is 1."""

    def sums_and_weights(self, total: Total) -> tuple[list[tf.Tensor], tf.Tensor]:
        return list(total["sums"]), tf.cast(total["weights"] > 0.0, tf.float32)
