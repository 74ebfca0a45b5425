"""Writes a model as a SavedModel with two signatures, its vocabulary as an asset."""

from __future__ import annotations

import tensorflow as tf

from tasks.vocabulary import BOS, Vocabulary
from tff_lm.models.protocol import ServableModel
from tff_lm.serving.next_words import NextWords
from tff_lm.serving.wordpiece import WordpieceEncoder


def save(
    model: ServableModel,
    vocabulary: Vocabulary,
    folder: str,
    *,
    vocabulary_path: str,
    lower_case: bool,
    max_context: int,
    count: int = 5,
) -> None:
    """Writes the SavedModel.

    Its signatures:
      next_words: phrases string[B] -> words string[B, count], probabilities float32[B, count].
      next_pieces: tokens int32[B, T], padded with 0 on the right, rows beginning with [BOS] ->
        probabilities float32[B, V] of the piece after each row. Also the default one.

    Args:
      model: With its weights.
      vocabulary: Of its rows.
      folder: Where to.
      vocabulary_path: The vocabulary's file.
      lower_case: Whether the model was trained on lower-cased text.
      max_context: Of a longer phrase, only so many pieces are looked at, the last ones.
      count: How many words `next_words` gives.
    """
    encoder = WordpieceEncoder(vocabulary, lower_case)

    def probabilities_after(tokens: tf.Tensor) -> tf.Tensor:
        last = tf.math.count_nonzero(tokens, axis=1, dtype=tf.int32) - 1
        return tf.nn.softmax(tf.gather(model(tokens), last, axis=1, batch_dims=1))

    search = NextWords(probabilities_after, vocabulary, count)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32, "tokens")])
    def next_pieces(tokens):
        return {"probabilities": probabilities_after(tokens)}

    def words_after(phrase):
        ids = encoder.encode(phrase)[1:]
        return search.after(tf.concat([[BOS], ids[-max_context:]], 0))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "phrases")])
    def next_words(phrases):
        shapes = [tf.TensorSpec([search.count], dtype) for dtype in (tf.string, tf.float32)]
        words, probabilities = tf.map_fn(words_after, phrases, fn_output_signature=tuple(shapes))
        return {"words": words, "probabilities": probabilities}

    # Not the model itself: Keras would add functions of its own for every layer.
    module = tf.Module()
    module.model_weights = list(model.trainable_variables)
    module.encoder = encoder
    module.vocabulary = tf.saved_model.Asset(vocabulary_path)
    module.next_words, module.next_pieces = next_words, next_pieces
    signatures = {
        "serving_default": next_pieces,
        "next_pieces": next_pieces,
        "next_words": next_words,
    }
    tf.saved_model.save(module, folder, signatures=signatures)
