"""What a user of stock TFF would write: Transformers from Keras' own layers, on padded batches.

The same architecture and number of parameters as ours at the same name; every position is
computed, padding included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.models.registry import MODELS


class TiedLogits(tf.keras.layers.Layer):
    """Logits from the embedding's own table."""

    def __init__(self, embedding: tf.keras.layers.Embedding):
        super().__init__()
        self.embedding = embedding

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[B, T, d] -> float32[B, T, V]."""
        table = tf.cast(self.embedding.embeddings, x.dtype)
        return tf.cast(tf.einsum("btd,vd->btv", x, table), tf.float32)


class SinusoidalPositions(tf.keras.layers.Layer):
    """Adds sines and cosines of the positions."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """[B, T, d] -> [B, T, d]."""
        half = x.shape[-1] // 2
        rates = 10000.0 ** (-np.arange(half) / half)
        angles = tf.cast(tf.range(tf.shape(x)[1]), tf.float32)[:, None] * rates.astype(np.float32)
        table = tf.concat([tf.sin(angles), tf.cos(angles)], axis=-1)
        return x * x.shape[-1] ** 0.5 + tf.cast(table, x.dtype)


def transformer(name: str, vocabulary_size: int) -> tf.keras.Model:
    """int32[B, T] -> float32[B, T, V]; a named size of ours from Keras' own layers."""
    sizes = MODELS[name].sizes
    width, heads = sizes["width"], sizes["heads"]
    tokens = tf.keras.Input([None], dtype=tf.int32)
    embedding = tf.keras.layers.Embedding(vocabulary_size, width)
    x = SinusoidalPositions()(embedding(tokens))
    for _ in range(sizes["layers"]):
        y = tf.keras.layers.LayerNormalization()(x)
        attention = tf.keras.layers.MultiHeadAttention(heads, width // heads)
        x = x + attention(y, y, use_causal_mask=True)
        y = tf.keras.layers.LayerNormalization()(x)
        y = tf.keras.layers.Dense(sizes["hidden"], activation="relu")(y)
        x = x + tf.keras.layers.Dense(width)(y)
    x = tf.keras.layers.LayerNormalization()(x)
    return tf.keras.Model(tokens, TiedLogits(embedding)(x))


def model_fn(name: str, vocabulary_size: int) -> Callable[[], Any]:
    """For `tff.learning.algorithms`: makes a `tff.learning.models.VariableModel`."""
    spec = (tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None, None], tf.int32))

    def make() -> Any:
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
        return tff.learning.models.from_keras_model(
            transformer(name, vocabulary_size), loss=loss, input_spec=spec, metrics=[]
        )

    return make
