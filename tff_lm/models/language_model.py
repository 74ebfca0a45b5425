"""A next-token language model: tied embedding, a body, logits."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from tff_lm.models.layers import CallContext, Dropout, SubLayer, TiedEmbedding
from tff_lm.models.packing import Packing


class LanguageModel(tf.keras.Model):
    """`model(tokens)` gives next-token logits; `model.score` does so for real tokens alone.

    All weights are float32, trainable, made at once (no lazy building) and named by their path, for example
    `block_0/attention/query_key_value/kernel:0`.
    """

    def __init__(self, name: str, embedding: TiedEmbedding, body: SubLayer, dropout: float):
        super().__init__(name=name)
        self.embedding = embedding
        self.body = body
        self.dropout = Dropout("embedding/dropout", dropout)
        self.built = True

    def call(
        self, tokens: tf.Tensor, training: bool = False, seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        """int32[B, T] padded with 0 on the right -> float32[B, T, V]; the padding's logits are 0."""
        context = CallContext(Packing.of(tokens), training, seed)
        return context.packing.unpack(self._logits(tokens, context))

    def score(
        self,
        x: tf.Tensor,
        y: tf.Tensor,
        training: bool = False,
        seed: tf.Tensor | None = None,
        trained: Mapping[str, tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits and labels of the N real targets, in row-major order; nothing is computed for padding.

        Args:
          x: int32[B, T], the inputs.
          y: int32[B, T], the targets; 0 is padding, at the same places as in `x`.
          training: whether dropout acts.
          seed: int32[2], stateless seed for dropout.
          trained: bool scalars by variable name; see `CallContext`.

        Returns:
          (float32[N, V], int32[N]).
        """
        context = CallContext(Packing.of(y), training, seed, trained or {})
        labels = tf.gather(tf.reshape(y, [-1]), context.packing.rows)
        return self._logits(x, context), labels

    def _logits(self, tokens: tf.Tensor, context: CallContext) -> tf.Tensor:
        ids = tf.gather(tf.reshape(tokens, [-1]), context.packing.rows)
        x = self.dropout(self.embedding(ids), context)
        return self.embedding.logits(self.body(x, context), context)
