"""Noise on the sum from outside: uniform, of one width."""

import collections
import dataclasses

import tensorflow as tf

from compression import randomness
from compression.parts import SumTransform
from compression.registry import SUM_TRANSFORMS


@SUM_TRANSFORMS.register("uniform_noise")
@dataclasses.dataclass(frozen=True)
class UniformNoise(SumTransform):
    """Reports `uniform_noise_width`, float32[]."""

    width: float = 0.01

    def apply(self, sums, weights, state, seed):
        noisy = [
            value
            + self.width
            * tf.random.stateless_uniform(value.shape, randomness.fold_in(seed, index), -1.0)
            for index, value in enumerate(sums)
        ]
        measured = collections.OrderedDict(uniform_noise_width=tf.constant(self.width))
        return noisy, weights, state, measured
