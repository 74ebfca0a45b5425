"""A model's loss on one batch, and its gradient."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from tff_lm.learning import metrics
from tff_lm.models.protocol import TrainableModel

Batch = Mapping[str, tf.Tensor]
Gradients = list[tf.Tensor | None]


@dataclasses.dataclass(frozen=True)
class Score:
    """The mean nats per real token, float32[]; real tokens, float32[]; the row, float32[K]."""

    loss: tf.Tensor
    tokens: tf.Tensor
    row: tf.Tensor


def score_batch(
    model: TrainableModel, batch: Batch, starts_word: Any, **score_options: Any
) -> Score:
    """Scores a batch: the mean negative log-likelihood over its real target tokens.

    Args:
      model: Scores, with the weights that it has.
      batch: `OrderedDict(x=int32[B,T], y=int32[B,T], ...)`.
      starts_word: bool[V].
      **score_options: Passed to `model.score` (`training`, `seed`, `trained`).
    """
    logits, labels = model.score(batch["x"], batch["y"], **score_options)
    nats = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    tokens = tf.cast(tf.size(labels), tf.float32)
    loss = tf.math.divide_no_nan(tf.reduce_sum(nats), tokens)
    row = metrics.batch_row(
        tf.stop_gradient(logits), labels, tf.stop_gradient(nats), batch["y"], starts_word
    )
    return Score(loss, tokens, row)


def score_and_gradients(
    model: TrainableModel,
    variables: Sequence[tf.Variable],
    batch: Batch,
    starts_word: Any,
    **score_options: Any,
) -> tuple[Score, Gradients]:
    """The training score, and dense gradients (None where the loss does not depend)."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        for variable in variables:
            tape.watch(variable)
        score = score_batch(model, batch, starts_word, training=True, **score_options)
    gradients = tape.gradient(score.loss, list(variables))
    return score, [None if g is None else tf.convert_to_tensor(g) for g in gradients]
