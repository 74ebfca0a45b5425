"""A tiny language model that is none of the project's: made of variables alone, without Keras."""

import numpy as np
import tensorflow as tf

VOCABULARY = 13
STARTS_WORD = [i > 3 for i in range(VOCABULARY)]


class TinyModel(tf.Module):
    """A bigram model: a `tff_lm.models.protocol.TrainableModel`."""

    def __init__(self, width: int = 5, seed: int = 3):
        super().__init__(name="tiny")
        rng = np.random.default_rng(seed)

        def weight(name, *shape):
            return tf.Variable(0.5 * rng.normal(size=shape).astype(np.float32), name=name)

        self.embeddings = weight("embedding/embeddings", VOCABULARY, width)
        self.hidden = weight("hidden/kernel", width, width)
        self.output = weight("output/kernel", width, VOCABULARY)
        self.bias = weight("output/bias", VOCABULARY)

    weight_names = ("embedding/embeddings", "hidden/kernel", "output/kernel", "output/bias")
    freezable = frozenset({"hidden/kernel"})

    @property
    def trainable_variables(self):
        return [self.embeddings, self.hidden, self.output, self.bias]

    def score(self, x, y, training=False, seed=None, trained=None):
        del training, seed
        trained = trained or {}
        if not set(trained) <= self.freezable:
            raise ValueError(f"cannot freeze {', '.join(trained)}")
        hidden = tf.convert_to_tensor(self.hidden)
        if "hidden/kernel" in trained:
            hidden = tf.where(trained["hidden/kernel"], hidden, tf.stop_gradient(hidden))
        where = tf.not_equal(y, 0)
        embedded = tf.gather(self.embeddings, tf.boolean_mask(x, where))
        logits = tf.tanh(embedded @ hidden) @ self.output + self.bias
        return logits, tf.boolean_mask(y, where)
