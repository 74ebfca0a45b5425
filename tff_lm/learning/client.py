"""A client in a round: what an algorithm's client step works with, within the client's graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.learning import gradient_hooks, local_training, metrics
from tff_lm.learning.client_model import ClientModel
from tff_lm.learning.local_optimizers import FreshState, LocalOptimizer
from tff_lm.learning.optimizers.optimizer import Optimizer
from tff_lm.learning.options import LearningOptions
from tff_lm.learning.registry import WEIGHTINGS
from tff_lm.learning.schedules import build_schedule


class Upload(NamedTuple):
    """Tensors for the server, one for each trained variable, and what they weigh in the mean.

    Attributes:
      values: float32[...] each, of the shapes of the variables.
      weight: float32[], or float32[n] with 0 for the variables that the client did not train.
      seed: int32[2], the client's for the round.
    """

    values: tuple[tf.Tensor, ...]
    weight: tf.Tensor
    seed: tf.Tensor

    def nothing(self) -> Upload:
        """An upload of this type of weight 0: nothing is sent."""
        return tf.nest.map_structure(tf.zeros_like, self)


class Client:
    """A client with its text, and a model that holds the weights of the round.

    Attributes:
      local: The model; training changes its variables in place.
      initial: The weights of the round, a tensor for each trained variable.
      learning_rate: float32[], of this round.
      current_pass: int32[], counted from 0, where a round has several.
      mask_fn: Which variables the client trains; None means all.
    """

    def __init__(
        self,
        model: ClientModel,
        options: LearningOptions,
        weights: tff.learning.models.ModelWeights,
        batches: tf.data.Dataset,
        *,
        learning_rate: tf.Tensor,
        round_number: tf.Tensor,
        current_pass: tf.Tensor,
    ):
        """Assigns the weights to a model of its own; call it inside a `tf.function`."""
        self._model, self._options = model, options
        self._weights, self._batches = weights, batches
        self.local, bind = model.build_local()
        bind(weights)
        self.initial = list(weights.trainable)
        self.learning_rate = learning_rate
        self.current_pass = current_pass
        self.mask_fn = model.mask_fn(round_number)

    def fresh_optimizer(self, optimizer: Optimizer) -> LocalOptimizer:
        """The optimizer with state that begins in this round and is forgotten after it."""
        return FreshState(optimizer, self.local.names, self.local.variables)

    def train(
        self, optimizer: LocalOptimizer, hooks: Sequence[gradient_hooks.GradientHook] = ()
    ) -> local_training.LocalResult:
        """Trains the local model on all local epochs; `hooks` change its gradients, in order."""
        return local_training.train(
            self.local,
            self._batches,
            self._options,
            optimizer,
            self.learning_rate,
            gradient_hooks.compose(hooks),
            self.mask_fn,
        )

    def change(self) -> tuple[tf.Tensor, ...]:
        """Initial minus present weights: the direction of a gradient."""
        return tuple(w0 - w for w0, w in zip(self.initial, self.local.variables, strict=True))

    def full_gradient(self) -> local_training.FullGradient:
        """Of the mean loss over all of the client's text, once, at the present weights."""
        return local_training.full_gradient(self.local, self._batches, self.mask_fn)

    def copy_at_start(self) -> local_training.LocalModel:
        """Another model, which keeps the weights of the round."""
        copy, bind = self._model.build_local()
        bind(self._weights)
        return copy

    def rate_sum(self, result: local_training.LocalResult) -> tf.Tensor:
        """float32[]: the learning rates of all local steps that led to `result`, added up."""
        schedule = build_schedule(self._options.local_schedule)
        steps = tf.cast(result.row[metrics.METRIC_NAMES.index("batches")], tf.int32)
        return self.learning_rate * tf.reduce_sum(schedule(tf.range(steps)))

    def mask(self, result: local_training.LocalResult) -> tf.Tensor | None:
        """bool[n]: which variables were trained; None means all."""
        return None if self.mask_fn is None else self.mask_fn(result.seed)

    def upload(
        self,
        values: Sequence[tf.Tensor],
        result: local_training.LocalResult,
        weighting: str = "",
    ) -> tuple[Upload, tf.Tensor]:
        """What is sent, and the row of sums with its norm.

        Args:
          values: A tensor for each trained variable.
          result: Of the training that they come from.
          weighting: One of `WEIGHTINGS`; by default that of the options.

        Returns:
          The upload and float32[K]. Where the values or the loss are not finite the upload is zeros
          of weight NaN, by which the aggregator rejects it, and the row holds nothing but a
          `non_finite` client.
        """
        square = tf.add_n([2.0 * tf.nn.l2_loss(tensor) for tensor in values])
        finite = tf.math.is_finite(square + tf.reduce_sum(result.row))
        sums = dict(zip(metrics.METRIC_NAMES, tf.unstack(result.row), strict=True))
        weight = WEIGHTINGS[weighting or self._options.algorithm.weighting](sums)
        mask = self.mask(result)
        if mask is not None:
            weight = weight * tf.cast(mask, tf.float32)

        def accepted():
            return tuple(values), weight, result.row + metrics.row_of(update_square=square)

        def rejected():
            zeros = tuple(tf.zeros_like(tensor) for tensor in values)
            return zeros, weight + float("nan"), metrics.row_of(non_finite=1.0)

        sent, weight, row = tf.cond(finite, accepted, rejected)
        return Upload(sent, weight, result.seed), row
