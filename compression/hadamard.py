"""The randomized Hadamard transform of a flat tensor, in blocks, as two matrix products.

A block of d = a b values, d a power of two of at most 4,096, is rotated by H_d D / sqrt(d): D holds
random signs and H_d is Hadamard's matrix, which is the Kronecker product of H_a and H_b. With d of
4,096 that is two products with 64 x 64 matrices: several times the arithmetic of the butterfly
algorithm but two passes over memory instead of twelve, in the fastest kernel that a CPU has.

A block is d consecutive values, so that the noise of a codec stays where the values are that caused
it: eight rows of an embedding of width 512, say, and not all of them. Rows of rare words have small
updates, and an adaptive server such as Adam makes full steps of whatever noise it finds there.
The signs are the same for all blocks of a tensor; each block is rotated by a properly random
rotation, and blocks hold different values.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import tensorflow as tf

from compression import randomness

MAX_BLOCK = 4096
MAX_PADDING = 1 / 8  # of the values


@dataclasses.dataclass(frozen=True)
class Rotation:
    """Rotates `count` values as `blocks` blocks of `block` values, padded with zeros.

    Attributes:
      count: The number of values to rotate.
      block: The largest power of two up to 4,096 that needs at most 1/8 of padding.
    """

    count: int

    @property
    def block(self) -> int:
        size = MAX_BLOCK
        while size > 1 and -self.count % size > MAX_PADDING * self.count:
            size //= 2
        return size if self.count else 1

    @property
    def blocks(self) -> int:
        return math.ceil(self.count / self.block)

    def forward(self, values: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """float32[count] -> float32[blocks, block]: row j is block j, rotated."""
        padding = self.block * self.blocks - self.count
        if padding:
            values = tf.pad(values, [[0, padding]])
        signed = tf.reshape(values, [self.blocks, self.block]) * self._signs(seed)
        return self._transform(signed)

    def inverse(self, rotated: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The inverse of `forward`: float32[blocks, block] -> float32[count]."""
        signed = self._transform(rotated) * self._signs(seed)
        return tf.reshape(signed, [-1])[: self.count]

    def _transform(self, blocks: tf.Tensor) -> tf.Tensor:
        """H_d / sqrt(d), its own inverse, on every row of float32[blocks, block]."""
        b = 2 ** (self.block.bit_length() // 2)
        a = self.block // b
        squares = tf.reshape(blocks, [self.blocks, a, b])
        mixed = tf.matmul(tf.constant(_hadamard(a)), tf.matmul(squares, tf.constant(_hadamard(b))))
        return tf.reshape(mixed, [self.blocks, self.block])

    def _signs(self, seed: tf.Tensor) -> tf.Tensor:
        return randomness.random_signs(seed, self.block)


def _hadamard(size: int) -> np.ndarray:
    """The orthogonal, symmetric Hadamard matrix of a power of two, float32."""
    matrix = np.ones([1, 1])
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return (matrix / math.sqrt(size)).astype(np.float32)
