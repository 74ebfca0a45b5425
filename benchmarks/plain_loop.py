"""A plain training step, without federation: what a loop of one's own would run."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from benchmarks.jobs import LEARNING_RATE
from tff_lm.models.protocol import TrainableModel


def build_step(network: TrainableModel) -> Callable[[tf.Tensor, tf.Tensor], None]:
    """One step of SGD in place on int32[B, T] inputs and targets, as one `tf.function`."""
    variables = network.trainable_variables
    ids = tf.TensorSpec([None, None], tf.int32)

    @tf.function(input_signature=[ids, ids], autograph=False)
    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            logits, labels = network.score(x, y)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            tf.raw_ops.ResourceApplyGradientDescent(
                var=variable.handle, alpha=LEARNING_RATE, delta=tf.convert_to_tensor(gradient)
            )

    return step
