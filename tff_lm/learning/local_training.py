"""A client's training loop, in one graph, on variables that are updated in place."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from tff_lm.learning import metrics, scoring
from tff_lm.learning.batch_loop import fold
from tff_lm.learning.gradient_hooks import GradientHook
from tff_lm.learning.local_optimizers import LocalOptimizer
from tff_lm.learning.schedules import ScheduleOptions, build_schedule
from tff_lm.models.protocol import TrainableModel

_DROPOUT_STREAM = 1
WEIGHTINGS = ("tokens", "examples", "uniform")

# int32[2], the client's seed -> bool[number of trained variables]
MaskFn = Callable[[tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class LocalOptions:
    """What a client does with its batches.

    Attributes:
      weighting: One of `WEIGHTINGS`: the client's weight in the mean of updates.
      clip_norm: If positive, each batch gradient is scaled to at most this global l2 norm.
      epochs: How often a client goes through its batches, each time in their order (McMahan et al.
        2017, Algorithm 1: split once).
      steps: If positive, at most this many local steps.
      schedule: Factor on the client learning rate by local step.
    """

    weighting: str = "tokens"
    clip_norm: float = 0.0
    epochs: int = 1
    steps: int = 0
    schedule: ScheduleOptions = ScheduleOptions()

    def __post_init__(self):
        if self.weighting not in WEIGHTINGS:
            raise ValueError(f"weighting {self.weighting!r} is unknown; use one of {WEIGHTINGS}")
        if self.epochs < 1 or self.steps < 0 or self.clip_norm < 0.0:
            raise ValueError(f"epochs must be at least 1, steps and clip_norm not negative: {self}")


class LocalModel(NamedTuple):
    """The model under training, and those of its variables that are trained, by name."""

    model: TrainableModel
    names: Sequence[str]
    variables: Sequence[tf.Variable]
    starts_word: Sequence[bool]


class LocalResult(NamedTuple):
    """What training leaves: sums float32[K], the client's seed int32[2] (0 without batches)."""

    row: tf.Tensor
    seed: tf.Tensor


def local_batches(batches: tf.data.Dataset, options: LocalOptions) -> tf.data.Dataset:
    """The batches of all local steps."""
    if options.epochs > 1:
        batches = batches.repeat(options.epochs)
    return batches.take(options.steps) if options.steps else batches


def step_seed(batch: scoring.Batch, step: tf.Tensor) -> tf.Tensor:
    """int32[2]: the seed of a local step's dropout."""
    client_seed = tf.random.experimental.stateless_fold_in(batch["seed"], _DROPOUT_STREAM)
    return tf.random.experimental.stateless_fold_in(client_seed, step)


class BatchGradients(NamedTuple):
    """A batch's score, a gradient or None by variable, and the mask (None trains all)."""

    score: scoring.Score
    gradients: scoring.Gradients
    mask: list[tf.Tensor] | None


def batch_gradients(
    local: LocalModel, batch: scoring.Batch, seed: tf.Tensor, mask_fn: MaskFn | None
) -> BatchGradients:
    """The gradients at the current weights; those of variables outside the mask are not computed.

    Args:
      local: The model.
      batch: `OrderedDict(x=int32[B,T], y=int32[B,T], seed=int32[2])`.
      seed: int32[2], of the dropout.
      mask_fn: See `train`.
    """
    mask, options = None, {}
    if mask_fn is not None:
        mask = tf.unstack(mask_fn(batch["seed"]), len(local.variables))
        flags = zip(local.names, mask, strict=True)
        options["trained"] = {n: flag for n, flag in flags if n in local.model.freezable}
    score, gradients = scoring.score_and_gradients(
        local.model, local.variables, batch, local.starts_word, seed=seed, **options
    )
    return BatchGradients(score, gradients, mask)


def _clip(
    gradients: scoring.Gradients, mask: list[tf.Tensor] | None, norm: float
) -> scoring.Gradients:
    """Scales to at most this global norm, which variables outside the mask have no part in."""
    if mask is not None:
        gradients = [
            None if g is None else tf.cond(m, lambda g=g: g, lambda g=g: tf.zeros_like(g))
            for g, m in zip(gradients, mask, strict=True)
        ]
    return tf.clip_by_global_norm(gradients, norm)[0]


def train(
    local: LocalModel,
    batches: tf.data.Dataset,
    options: LocalOptions,
    optimizer: LocalOptimizer,
    learning_rate: tf.Tensor,
    hook: GradientHook,
    mask_fn: MaskFn | None = None,
) -> LocalResult:
    """Trains `local.variables` in place, one step per batch (call it inside a `tf.function`).

    Args:
      local: The model; its variables hold the weights to start from.
      batches: Of `OrderedDict(x=int32[B,T], y=int32[B,T], seed=int32[2])`.
      options: See `LocalOptions`.
      optimizer: Applies the gradients.
      learning_rate: float32[], this round's.
      hook: Changes the gradients (after clipping).
      mask_fn: Which variables this client trains; None trains all. The weight gradient of a
        variable that it does not train is not computed (see `model.score`'s `trained`), and its
        value is not touched.
    """
    schedule = build_schedule(options.schedule)

    def train_step(state, batch):
        step, _, row = state
        seed = step_seed(batch, step)
        score, gradients, mask = batch_gradients(local, batch, seed, mask_fn)
        if options.clip_norm:
            gradients = _clip(gradients, mask, options.clip_norm)
        change = hook(batch, seed)
        rate = learning_rate * schedule(step)

        # An update in place copies a weight that somebody still reads. Its last reader is the
        # backward product, done once the variable before it in the model has its gradient.
        read = []
        for i, gradient in enumerate(gradients):
            if gradient is None:
                continue

            def apply(i=i, gradient=gradient):
                optimizer.apply(i, change(i, gradient), rate, step)

            with tf.control_dependencies(read):
                if mask is None:
                    apply()
                else:
                    tf.cond(mask[i], apply, lambda: None)
            read = [gradient]
        return step + 1, batch["seed"], row + score.row

    initial = (tf.constant(0), tf.zeros([2], tf.int32), tf.zeros([metrics.NUM_METRICS]))
    _, seed, row = fold(local_batches(batches, options), initial, train_step)
    return LocalResult(row, seed)


class FullGradient(NamedTuple):
    """The gradient of a client's mean loss per token: one tensor per variable, and what it saw."""

    gradient: tuple[tf.Tensor, ...]
    result: LocalResult


def full_gradient(
    local: LocalModel, batches: tf.data.Dataset, mask_fn: MaskFn | None = None
) -> FullGradient:
    """The gradient over all of the client's batches (zeros without batches).

    The gradients of variables that `mask_fn` freezes are not computed and are zero.
    """

    def add(state, batch):
        sums, _, row = state
        seed = step_seed(batch, tf.constant(0))
        score, gradients, _ = batch_gradients(local, batch, seed, mask_fn)
        sums = tuple(
            s if g is None else s + g * score.tokens for s, g in zip(sums, gradients, strict=True)
        )
        return sums, batch["seed"], row + score.row

    zeros = tuple(tf.zeros(v.shape, v.dtype) for v in local.variables)
    initial = (zeros, tf.zeros([2], tf.int32), tf.zeros([metrics.NUM_METRICS]))
    sums, seed, row = fold(batches, initial, add)
    tokens = row[metrics.METRIC_NAMES.index("tokens")]
    gradient = tuple(tf.math.divide_no_nan(s, tokens) for s in sums)
    return FullGradient(gradient, LocalResult(row, seed))
