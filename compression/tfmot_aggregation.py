"""tfmot's tensor_encoding behind the same interface, for comparison.

`tff.aggregators.EncodedSumFactory` quantizes what it sums, that is each client's update times its
weight, and measures nothing. Here it is given the project's weights, and the bits that its encoders
pack. It has what it has: noise seeded from the clock (a run with it cannot be repeated), no guard
against NaN, one weight for all variables.
"""

from __future__ import annotations

import collections

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff
from tensorflow_model_optimization.python.core.internal import tensor_encoding

from compression import structures
from compression.variables import DEFAULT_MIN_ELEMENTS


class TfmotUniformMeanFactory(tff.aggregators.WeightedAggregationFactory):
    """Weighted mean through tfmot's stochastic uniform quantization.

    Takes a scalar weight or `OrderedDict(weight=float32[], seed=int32[2])`, whose seed is ignored,
    and reports `upload_bits`, int64[], and `upload_bits_per_variable`, int64[V], as
    `UpdateAggregator` does: the size of the tensors that an encoder yields, over clients of
    positive weight.
    """

    def __init__(self, bits: int = 8, min_elements: int = DEFAULT_MIN_ELEMENTS):
        """Initializes the factory with 1 to 16 `bits` for tensors of at least `min_elements`."""
        if not 1 <= bits <= 16:
            raise ValueError(f"tfmot_uniform: bits = {bits} is not in 1..16.")
        self._bits = bits
        self._min_elements = min_elements

    def create(
        self, value_type: tff.Type, weight_type: tff.Type
    ) -> tff.templates.AggregationProcess:
        """Builds the process for `value_type`, any structure of floats."""
        scalar = tff.TensorType(np.float32)
        seeded = isinstance(weight_type, tff.StructType)
        if (weight_type["weight"] if seeded else weight_type) != scalar:
            raise TypeError(f"tfmot_uniform takes one float32 weight for all, not {weight_type}.")
        mean = tff.aggregators.MeanFactory(
            tff.aggregators.EncodedSumFactory(self._encoder), no_nan_division=True
        ).create(value_type, scalar)
        bits = [self._payload_bits(t) for t in structures.tensor_types(value_type)]

        @tff.tensorflow.computation(weight_type)
        def scalar_weight(weight):
            return weight["weight"] if seeded else weight

        @tff.tensorflow.computation(np.float32)
        def takes_part(weight):
            return tf.cast(weight > 0.0, tf.int64)

        @tff.tensorflow.computation(np.int64)
        def measure(clients):
            per_variable = clients * tf.constant(bits, tf.int64)
            return collections.OrderedDict(
                upload_bits=tf.reduce_sum(per_variable), upload_bits_per_variable=per_variable
            )

        @tff.federated_computation(
            mean.initialize.type_signature.result,
            tff.FederatedType(value_type, tff.CLIENTS),
            tff.FederatedType(weight_type, tff.CLIENTS),
        )
        def next_fn(state, value, weight):
            weights = tff.federated_map(scalar_weight, weight)
            output = mean.next(state, value, weights)
            clients = tff.federated_sum(tff.federated_map(takes_part, weights))
            return tff.templates.MeasuredProcessOutput(
                output.state, output.result, tff.federated_map(measure, clients)
            )

        return tff.templates.AggregationProcess(mean.initialize, next_fn)

    def _encoder(self, spec: tf.TensorSpec) -> tensor_encoding.core.GatherEncoder:
        encoders = tensor_encoding.encoders
        small = spec.shape.num_elements() < self._min_elements
        encoder = encoders.identity() if small else encoders.uniform_quantization(self._bits)
        return encoders.as_gather_encoder(encoder, spec)

    def _payload_bits(self, tensor_type: tff.TensorType) -> int:
        """The size of what a client sends for one tensor, found by tracing its encoder."""
        spec = tf.TensorSpec(tensor_type.shape, tensor_type.dtype)
        encoder = self._encoder(spec)

        def encode(value):
            parameters, _, _ = encoder.get_params(encoder.initial_state())
            return encoder.encode(value, parameters)[0]

        encoded = tf.function(encode).get_concrete_function(spec).structured_outputs
        parts = tf.nest.flatten(encoded)
        return sum(8 * part.dtype.size * part.shape.num_elements() for part in parts)
