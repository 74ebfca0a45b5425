"""Gaussian noise on the sum over clients, as the mechanisms of differential privacy add it.

Dwork and Roth 2014, "The Algorithmic Foundations of Differential Privacy", appendix A. With updates
of length at most c (`clip`, and a codec that does not lengthen them) and weights of at most 1, the
noise multiplier of the literature is stddev / c.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Sequence

import tensorflow as tf

from compression import randomness
from compression.parts import Measurements, State, SumTransform
from compression.registry import SUM_TRANSFORMS
from tff_lm.options import check_ranges, option


@SUM_TRANSFORMS.register("gaussian_noise")
@dataclasses.dataclass(frozen=True)
class GaussianNoise(SumTransform):
    """Adds independent noise to every value of the variables that somebody trained.

    Reports `noise_norm`, float32[], the l2 norm of what was added.

    The noise follows from the aggregator's seed and the round, so that runs repeat. It protects
    nobody from those who know the seed: this is for studying what privacy costs. Two aggregators of
    one seed draw equal noise.
    """

    stddev: float = option(1.0, "standard deviation of the noise on the sum", minimum=0.0)

    def __post_init__(self) -> None:
        check_ranges("gaussian_noise", self)

    def apply(
        self, sums: Sequence[tf.Tensor], weights: tf.Tensor, state: State, seed: tf.Tensor
    ) -> tuple[Sequence[tf.Tensor], tf.Tensor, State, Measurements]:
        noisy, squares = [], []
        for index, summed in enumerate(sums):

            def add(summed=summed, index=index):
                own_seed = randomness.fold_in(seed, index)
                noise = self.stddev * tf.random.stateless_normal(summed.shape, own_seed)
                return summed + tf.cast(noise, summed.dtype), 2.0 * tf.nn.l2_loss(noise)

            def leave(summed=summed):
                return summed, 0.0

            with_noise, square = tf.cond(weights[index] > 0.0, add, leave)
            noisy.append(with_noise)
            squares.append(square)
        return noisy, weights, state, OrderedDict(noise_norm=tf.sqrt(tf.add_n(squares)))
