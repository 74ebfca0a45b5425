"""A next-token language model: tied embedding, a body, logits."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from tff_lm.models.embedding import TiedEmbedding
from tff_lm.models.layers import CallContext, Dropout, SubLayer
from tff_lm.models.logits import Logits
from tff_lm.models.token_packing import TokenPacking


class LanguageModel(tf.keras.Model):
    """`model(tokens)` gives next-token logits; `model.score` does so for real tokens alone.

    All weights are float32, trainable, made at once (no lazy building) and named by their path, for
    example `block_0/attention/query_key_value/kernel`.
    """

    def __init__(
        self, name: str, embedding: TiedEmbedding, body: SubLayer, dropout: float, logits: Logits
    ):
        super().__init__(name=name)
        self.embedding = embedding
        self.body = body
        self.logits = logits
        self.dropout = Dropout("embedding/dropout", dropout)
        self.built = True

    @property
    def weight_names(self) -> list[str]:
        """The names of `trainable_variables`, in their order, in every graph the same."""
        names = {id(v): n for layer in self._sub_layers() for n, v in layer.named_weights.items()}
        return [names[id(variable)] for variable in self.trainable_variables]

    @property
    def freezable(self) -> frozenset[str]:
        """Names that `score` accepts in `trained`: the matrices whose gradient is a product."""
        return frozenset(name for layer in self._sub_layers() for name in layer.freezable)

    @property
    def matrices(self) -> dict[str, int]:
        """What `protocol.MatrixModel` says of it."""
        return {n: count for layer in self._sub_layers() for n, count in layer.matrices.items()}

    def _sub_layers(self) -> list[SubLayer]:
        return [module for module in self.submodules if isinstance(module, SubLayer)]

    def call(
        self, tokens: tf.Tensor, training: bool = False, seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        """int[B, T] padded with 0 on the right -> float32[B, T, V], 0 at the padding."""
        tokens = tf.cast(tokens, tf.int32)  # NumPy gives int64
        context = CallContext(self._packing(tokens), training, seed)
        return context.packing.unpack(self._logits(tokens, context))

    def score(
        self,
        x: tf.Tensor,
        y: tf.Tensor,
        training: bool = False,
        seed: tf.Tensor | None = None,
        trained: Mapping[str, tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits and labels of the N real targets in row-major order; padding costs nothing.

        Args:
          x: int32[B, T], the inputs.
          y: int32[B, T], the targets; 0 is padding, at the same places as in `x`.
          training: whether dropout acts.
          seed: int32[2], stateless seed for dropout.
          trained: bool scalars by weight name, for partial variable training; see `CallContext`.

        Returns:
          (float32[N, V], int32[N]).

        Raises:
          ValueError: if `trained` names what is not in `freezable`.
        """
        if unknown := set(trained or {}) - self.freezable:
            raise ValueError(f"{self.name} cannot freeze {', '.join(sorted(unknown))}.")
        context = CallContext(self._packing(y), training, seed, trained or {})
        labels = context.packing.ids(y)[: context.packing.tokens]
        return context.packing.without_spare(self._logits(x, context)), labels

    def _packing(self, ids: tf.Tensor) -> TokenPacking:
        return TokenPacking.of(ids, self.embedding.precision)

    def _logits(self, tokens: tf.Tensor, context: CallContext) -> tf.Tensor:
        x = self.dropout(self.embedding(context.packing.ids(tokens), context), context)
        return self.logits(self.embedding.logits(self.body(x, context), context))
