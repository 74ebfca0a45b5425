"""Optimizer steps on variables, in place: for clients, the server and Mime's base optimizer.

Each optimizer follows the arithmetic of `tff.learning.optimizers` (the tests compare them).  TFF's
optimizers are functional and make several passes over memory per step; TensorFlow's fused kernels
make one.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from tff_lm.learning.weights import VariableSpec


class Update(NamedTuple):
    """One update of one variable.

    Attributes:
      name: Of the variable, such as `block_0/attention/output/kernel`.
      variable: float[...].
      slots: One variable for each of the optimizer's slots, shaped as `variable`.
      gradient: Shaped as `variable`.
      learning_rate: float32[].
      step: int32[], counts the updates of this variable from 1 (for bias corrections).
    """

    name: str
    variable: tf.Variable
    slots: Sequence[tf.Variable]
    gradient: tf.Tensor
    learning_rate: tf.Tensor
    step: tf.Tensor


class Optimizer(abc.ABC):
    """A description of an optimizer step; the state lives in slot variables.

    Subclasses are frozen dataclasses of their hyperparameters, in a file of their own.
    """

    def for_variables(self, variables: Sequence[VariableSpec]) -> Optimizer:
        """The optimizer for these variables, if it depends on what they are; by default itself."""
        del variables
        return self

    def slots(self, name: str, shape: Sequence[int]) -> tuple[float, ...]:
        """The initial value of each slot of a variable; a slot has its shape and dtype.

        Args:
          name: Of the variable.
          shape: Its static shape.
        """
        del name, shape
        return ()

    @abc.abstractmethod
    def apply(self, update: Update) -> None:
        """Updates the variable and its slots in place."""


def bias_corrected(
    learning_rate: tf.Tensor, beta_1: float, beta_2: float, step: tf.Tensor
) -> tf.Tensor:
    """Adam's step size, float32[], with both bias corrections folded into it."""
    step = tf.cast(step, tf.float32)
    return learning_rate * tf.sqrt(1.0 - tf.pow(beta_2, step)) / (1.0 - tf.pow(beta_1, step))
