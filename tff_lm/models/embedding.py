"""The table of embeddings, which serves the input and the logits."""

from __future__ import annotations

import tensorflow as tf

from tff_lm.models.gradients import gradient_if, matmul
from tff_lm.models.layers import CallContext, SeededNormal, SubLayer


class TiedEmbedding(SubLayer):
    """One [V, d] table, for the input pieces and for the logits (Press and Wolf 2017)."""

    def __init__(
        self,
        path: str,
        vocabulary_size: int,
        width: int,
        *,
        seed: int,
        precision: str,
        input_scale: float = 0.0,
    ):
        super().__init__(path, precision)
        # By default that of Vaswani et al. 2017, section 3.4.
        self.input_scale = input_scale or width**0.5
        self.embeddings = self.weight(
            "embeddings",
            [vocabulary_size, width],
            SeededNormal(width**-0.5, seed, f"{path}/embeddings"),
            freezable=True,
        )

    def call(self, ids: tf.Tensor, context: CallContext) -> tf.Tensor:
        """int32[N] -> float32[N, d], times the input's scale."""
        rows = tf.gather(self.embeddings, ids)
        rows = gradient_if(context.trained.get(f"{self.path}/embeddings"), rows)
        return rows * self.input_scale

    def logits(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> float32[N, V]."""
        trained = context.trained.get(f"{self.path}/embeddings")
        product = matmul(x, self.embeddings, self.precision, trained, transpose_b=True)
        return tf.cast(product, tf.float32)
