"""The randomized Hadamard transform of a flat tensor, in blocks, as two matrix products.

A block of d = a b values, d a power of two of at most 4,096, is rotated by H_d D / sqrt(d): D holds
random signs and H_d is Hadamard's matrix, which is the Kronecker product of H_a and H_b. With d of
4,096 that is two products with 64 x 64 matrices: several times the arithmetic of the butterfly
algorithm but two passes over memory instead of twelve, in the fastest kernel that a CPU has.

A tensor of J blocks is laid out as [a, b, J]: a block takes every J-th value, so that its values
come from all over the tensor and blocks have similar norms, and both products are over contiguous
rows. The signs, folded into the matrices of the first product, are the same for all blocks of a
tensor; each block is rotated by a properly random rotation, and blocks hold different values.
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
        """float32[count] -> float32[block, blocks]: column j is block j, rotated."""
        padding = self.block * self.blocks - self.count
        if padding:
            values = tf.pad(values, [[0, padding]])
        left, right = self._matrices(seed)
        a, b = left.shape[0], right.shape[1]
        mixed = tf.matmul(right, tf.reshape(values, [a, b, self.blocks]))
        mixed = tf.matmul(left, tf.reshape(mixed, [a, b * self.blocks]))
        return tf.reshape(mixed, [self.block, self.blocks])

    def inverse(self, rotated: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The inverse of `forward`: float32[block, blocks] -> float32[count]."""
        left, right = self._matrices(seed)
        a, b = left.shape[0], right.shape[1]
        mixed = tf.matmul(left, tf.reshape(rotated, [a, b * self.blocks]))
        mixed = tf.matmul(right, tf.reshape(mixed, [a, b, self.blocks]), transpose_a=True)
        return tf.reshape(mixed, [-1])[: self.count]

    def _matrices(self, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """H_a / sqrt(a) [a, a] and, for each of its rows, H_b D_i / sqrt(b) [a, b, b]."""
        b = 2 ** (self.block.bit_length() // 2)
        a = self.block // b
        signs = tf.reshape(randomness.random_signs(seed, self.block), [a, 1, b])
        return tf.constant(_hadamard(a)), tf.constant(_hadamard(b)) * signs


def _hadamard(size: int) -> np.ndarray:
    """The orthogonal, symmetric Hadamard matrix of a power of two, float32."""
    matrix = np.ones([1, 1])
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return (matrix / math.sqrt(size)).astype(np.float32)
