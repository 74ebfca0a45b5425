"""Optimizer steps on variables, in place: for clients, the server and Mime's base optimizer.

Each rule follows the arithmetic of `tff.learning.optimizers` (the tests compare them).  TFF's
optimizers are functional and make several passes over memory per step; TensorFlow's fused kernels
make one.
"""

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf


class Update(NamedTuple):
    """One update of one variable.

    Attributes:
      variable: float[...].
      slots: One variable for each of the rule's slots, shaped as `variable`.
      gradient: Shaped as `variable`.
      learning_rate: float32[].
      step: int32[], counts the updates of this variable from 1 (for bias corrections).
    """

    variable: tf.Variable
    slots: Sequence[tf.Variable]
    gradient: tf.Tensor
    learning_rate: tf.Tensor
    step: tf.Tensor


class UpdateRule(abc.ABC):
    """A description of an optimizer step; the state lives in slot variables."""

    @property
    def slots(self) -> tuple[float, ...]:
        """The initial value of each slot; a slot has the shape and dtype of its variable."""
        return ()

    def apply(
        self,
        variable: tf.Variable,
        slots: Sequence[tf.Variable],
        gradient: tf.Tensor,
        learning_rate: tf.Tensor,
        step: tf.Tensor,
    ) -> None:
        """Updates `variable` and `slots` in place; the arguments are those of `Update`."""
        self._apply(Update(variable, slots, gradient, learning_rate, step))

    @abc.abstractmethod
    def _apply(self, update: Update) -> None:
        """Carries the update out."""


@dataclasses.dataclass(frozen=True)
class Sgd(UpdateRule):
    """w -= lr * g."""

    def _apply(self, update: Update) -> None:
        tf.raw_ops.ResourceApplyGradientDescent(
            var=update.variable.handle,
            alpha=update.learning_rate,
            delta=update.gradient,
            use_locking=False,
        )


@dataclasses.dataclass(frozen=True)
class Momentum(UpdateRule):
    """a = momentum * a + g; w -= lr * a."""

    momentum: float = 0.9

    @property
    def slots(self) -> tuple[float, ...]:
        return (0.0,)

    def _apply(self, update: Update) -> None:
        tf.raw_ops.ResourceApplyMomentum(
            var=update.variable.handle,
            accum=update.slots[0].handle,
            lr=update.learning_rate,
            grad=update.gradient,
            momentum=self.momentum,
            use_locking=False,
        )


def _bias_corrected(learning_rate, beta_1, beta_2, step):
    """Adam's step size with both bias corrections folded into it."""
    step = tf.cast(step, tf.float32)
    return learning_rate * tf.sqrt(1.0 - tf.pow(beta_2, step)) / (1.0 - tf.pow(beta_1, step))


@dataclasses.dataclass(frozen=True)
class Adam(UpdateRule):
    """Kingma and Ba 2015, with TFF's bias correction (Reddi et al. 2021, Algorithm 2, has none)."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    @property
    def slots(self) -> tuple[float, ...]:
        return (0.0, 0.0)

    def _apply(self, update: Update) -> None:
        step = tf.cast(update.step, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=update.variable.handle,
            m=update.slots[0].handle,
            v=update.slots[1].handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=update.learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=update.gradient,
            use_locking=False,
        )


@dataclasses.dataclass(frozen=True)
class Yogi(UpdateRule):
    """Zaheer et al. 2018: the second moment moves additively; bias correction as in TFF."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-3
    initial_accumulator: float = 1e-6

    @property
    def slots(self) -> tuple[float, ...]:
        return (0.0, self.initial_accumulator)

    def _apply(self, update: Update) -> None:
        first, second = update.slots
        square = tf.square(update.gradient)
        moment = first + (update.gradient - first) * (1.0 - self.beta_1)
        scale = second + (1.0 - self.beta_2) * tf.sign(square - second) * square
        rate = _bias_corrected(update.learning_rate, self.beta_1, self.beta_2, update.step)
        step = rate * moment / (tf.sqrt(scale) + self.epsilon)
        update.variable.assign_sub(step, read_value=False)
        first.assign(moment, read_value=False)
        second.assign(scale, read_value=False)


@dataclasses.dataclass(frozen=True)
class Adagrad(UpdateRule):
    """Duchi et al. 2011: s += g^2; w -= lr * g / (sqrt(s) + epsilon).

    TFF puts epsilon under the root; at its default of 1e-7 the two differ by less than float32
    resolves.
    """

    epsilon: float = 1e-7
    initial_accumulator: float = 0.1

    @property
    def slots(self) -> tuple[float, ...]:
        return (self.initial_accumulator,)

    def _apply(self, update: Update) -> None:
        tf.raw_ops.ResourceApplyAdagradV2(
            var=update.variable.handle,
            accum=update.slots[0].handle,
            lr=update.learning_rate,
            epsilon=self.epsilon,
            grad=update.gradient,
            use_locking=False,
        )


UPDATE_RULES: dict[str, Any] = {
    "sgd": Sgd,
    "momentum": Momentum,
    "adam": Adam,
    "yogi": Yogi,
    "adagrad": Adagrad,
}


def build_update_rule(name: str, **hyperparameters: float | None) -> UpdateRule:
    """The rule called `name`; hyperparameters that are None or not the rule's are left out.

    Raises:
      ValueError: For an unknown name.
    """
    if name not in UPDATE_RULES:
        raise ValueError(f"optimizer {name!r} is unknown; use one of {sorted(UPDATE_RULES)}")
    rule = UPDATE_RULES[name]
    known = {field.name for field in dataclasses.fields(rule)}
    chosen: UpdateRule = rule(
        **{k: v for k, v in hyperparameters.items() if k in known and v is not None}
    )
    return chosen
