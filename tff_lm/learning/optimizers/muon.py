"""Muon: momentum whose matrices are orthogonalized, and Adam for all that is no matrix.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; at the server, the
cohort's mean delta D in place of a gradient, it is FedMuon. Of a matrix, with momentum b,

    m = b m + D,   u = b m + D,   X = u / |u|_F,
    five times     A = X X^T,  X = 3.4445 X + (-4.7750 A + 2.0315 A^2) X      (Newton-Schulz)
    w -= rate * scale * X

which brings every singular value of u that is not tiny to about 1 (0.7 to 1.2), so that a step
moves all directions alike; |u| itself does not matter. `scale` = 0.2 sqrt(larger side) gives the
elements of a step the root mean square 0.2, about that of a step of Adam (Liu et al. 2025, "Muon is
Scalable for LLM Training", arXiv 2502.16982, section 2.2), so that both share one rate.

Which variables are matrices, the model says (`models.protocol.MatrixModel`). Those that lie side by
side in one variable, such as query, key and value, are used apart and orthogonalized apart, unless
`split` is off. A kernel of a convolution by channel is no matrix: none of its axes is mixed with
another, so its singular values mean nothing; nor is a table of embeddings, of which a round touches
some rows more than others. Of LoRA, each factor is a matrix of its own: the product could be
orthogonalized only in the metric of the other factor, which at the start, B = 0, there is none of.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import tensorflow as tf

from tff_lm.learning.optimizers.adam import Adam
from tff_lm.learning.optimizers.optimizer import Optimizer, Update
from tff_lm.learning.registry import OPTIMIZERS
from tff_lm.learning.weights import VariableSpec, presumed_matrices

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)

# Sides of a matrix [in, out] -> the factor on a step.
_SCALES = {
    "rms": lambda rows, columns: 0.2 * max(rows, columns) ** 0.5,
    "shape": lambda rows, columns: max(1.0, columns / rows) ** 0.5,
    "none": lambda rows, columns: 1.0,
}


@OPTIMIZERS.register("muon")
@dataclasses.dataclass(frozen=True)
class Muon(Optimizer):
    """Matrices have one slot, their momentum; other variables Adam's two.

    Attributes:
      momentum: Of matrices, in [0, 1).
      nesterov: Whether u looks ahead, b m + D; otherwise u is m.
      iterations: Of Newton-Schulz.
      scale: "rms", as above; "shape", sqrt(max(1, out / in)) after Jordan et al.; or "none".
      split: Whether matrices that lie side by side are orthogonalized apart.
      adam_rate: Adam's learning rate over that of matrices.
      beta_1: Adam's.
      beta_2: Adam's.
      epsilon: Adam's.
    """

    momentum: float = 0.9
    nesterov: bool = True
    iterations: int = 5
    scale: str = "rms"
    split: bool = True
    adam_rate: float = 1.0
    beta_1: float = 0.9
    beta_2: float = 0.99
    epsilon: float = 1e-3

    def __post_init__(self) -> None:
        if not 0.0 <= self.momentum < 1.0:
            raise ValueError(f"muon: momentum = {self.momentum} must lie in [0, 1).")
        if self.iterations < 1:
            raise ValueError(f"muon: iterations = {self.iterations} must be at least 1.")
        if self.scale not in _SCALES:
            raise ValueError(f"muon: scale = {self.scale!r} is not one of {', '.join(_SCALES)}.")
        if not self.adam_rate >= 0.0:
            raise ValueError(f"muon: adam_rate = {self.adam_rate} must not be negative.")

    def for_variables(self, variables: Sequence[VariableSpec]) -> Optimizer:
        return _Declared(self, {variable.name: variable.matrices for variable in variables})

    def slots(self, name: str, shape: Sequence[int]) -> tuple[float, ...]:
        return self.slots_of(presumed_matrices(name, shape))

    def apply(self, update: Update) -> None:
        self.step(update, presumed_matrices(update.name, update.variable.shape))

    def slots_of(self, matrices: int) -> tuple[float, ...]:
        """The slots of a variable of so many matrices side by side."""
        return (0.0,) if matrices else self._adam.slots("", ())

    def step(self, update: Update, matrices: int) -> None:
        """Updates a variable of so many matrices side by side, 0 for none."""
        if not matrices:
            rate = self.adam_rate * update.learning_rate
            self._adam.apply(update._replace(learning_rate=rate))
            return
        (slot,) = update.slots
        moment = self.momentum * slot + update.gradient
        slot.assign(moment, read_value=False)
        direction = self.momentum * moment + update.gradient if self.nesterov else moment
        parts = tf.split(direction, matrices if self.split else 1, axis=1)
        rows, columns = parts[0].shape
        orthogonal = tf.concat([orthogonalize(part, self.iterations) for part in parts], axis=1)
        rate = update.learning_rate * _SCALES[self.scale](rows, columns)
        update.variable.assign_sub(rate * orthogonal, read_value=False)

    @property
    def _adam(self) -> Adam:
        return Adam(self.beta_1, self.beta_2, self.epsilon)


@dataclasses.dataclass(frozen=True)
class _Declared(Optimizer):
    """Muon on variables of which it is known how many matrices each is made of, by name."""

    muon: Muon
    matrices: Mapping[str, int]

    def slots(self, name: str, shape: Sequence[int]) -> tuple[float, ...]:
        del shape
        return self.muon.slots_of(self.matrices[name])

    def apply(self, update: Update) -> None:
        self.muon.step(update, self.matrices[update.name])


def orthogonalize(matrix: tf.Tensor, iterations: int = 5) -> tf.Tensor:
    """float32[m, n] -> float32[m, n]: near U V^T where the matrix is U S V^T; zeros stay zeros."""
    a, b, c = _NEWTON_SCHULZ
    x = tf.math.divide_no_nan(matrix, tf.norm(matrix))
    rows, columns = matrix.shape
    # The product with the transpose on the shorter side; on the left or on the right is the same.
    wide = rows <= columns
    for _ in range(iterations):
        gram = tf.matmul(x, x, transpose_a=not wide, transpose_b=wide)
        change = b * gram + c * tf.matmul(gram, gram)
        x = a * x + (tf.matmul(change, x) if wide else tf.matmul(x, change))
    return x
