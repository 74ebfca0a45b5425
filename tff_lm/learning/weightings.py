"""A client's weight in the mean of updates, from the sums of its training (`metrics`)."""

from collections.abc import Callable, Mapping

import tensorflow as tf

from tff_lm.learning.registry import WEIGHTINGS

# The client's sums by name, float32[] each -> its weight, float32[].
Weighting = Callable[[Mapping[str, tf.Tensor]], tf.Tensor]


@WEIGHTINGS.register("tokens")
def by_tokens(sums: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """The real target tokens that it trained on."""
    return sums["tokens"]


@WEIGHTINGS.register("examples")
def by_examples(sums: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """The sentences that it trained on."""
    return sums["examples"]


@WEIGHTINGS.register("uniform")
def uniform(sums: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """1 for each client that has text."""
    return tf.minimum(sums["batches"], 1.0)
