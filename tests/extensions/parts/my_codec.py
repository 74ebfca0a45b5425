"""A codec from outside: every value's sign, times the mean size."""

import dataclasses

import tensorflow as tf

from compression import bit_packing
from compression.codec import Codec, Payload, element_count
from compression.registry import CODECS


@CODECS.register("mean_sign")
@dataclasses.dataclass(frozen=True)
class MeanSign(Codec):
    """Payload: `signs`, a bit each; `scale` float32[]."""

    quantizes = True

    def encode(self, tensor, seed):
        del seed  # nothing random
        flat = tf.reshape(tensor, [-1])
        signs = bit_packing.pack(tf.cast(flat > 0.0, tf.uint8), 1)
        return Payload(signs=signs, scale=tf.reduce_mean(tf.abs(flat)))

    def decode(self, payload, shape, seed):
        del seed
        signs = bit_packing.unpack(payload["signs"], element_count(shape), 1)
        values = (2.0 * tf.cast(signs, tf.float32) - 1.0) * payload["scale"]
        return tf.reshape(values, shape)
