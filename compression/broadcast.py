"""Sending the server's model to the clients through a codec, as a TFF distribution process.

The model is encoded once a round at the server and every client decodes the same payload, so all of
them train from the same decoded model, and their deltas are taken against it.
"""

from __future__ import annotations

import collections

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from compression import randomness, structures
from compression.codec import Codec
from compression.variables import DEFAULT_MIN_ELEMENTS, CodedVariable, code_variables


def build_compressed_broadcast(
    value_type: tff.Type,
    codec: Codec,
    *,
    seed: int = 0,
    min_elements: int = DEFAULT_MIN_ELEMENTS,
) -> tff.learning.templates.DistributionProcess:
    """Builds the process that broadcasts a `value_type` (any structure of tensors, V in all).

    The process is (S = int32[], the round):
      initialize: ( -> S@SERVER)
      next: (<state=S@SERVER, value=T@SERVER> ->
             <state=S@SERVER, result={T}@CLIENTS, measurements=M@SERVER>)
    with measurements, for one client of the round:
      download_bits: int64[], measured size of the payload.
      download_bits_per_variable: int64[V].

    The noise follows from (seed, round). A lossless codec sends the model as it is, at no cost.

    Args:
      value_type: For example the `tff.learning.models.ModelWeights` type of a model.
      codec: Carries every float32 tensor of at least `min_elements` elements.
      seed: The run's seed.
      min_elements: Smaller tensors, and those of another dtype, are sent as they are.
    """
    types = structures.tensor_types(value_type)
    variables = code_variables([(t.shape, t.dtype) for t in types], codec, min_elements)
    lossless = all(variable.codec.is_lossless for variable in variables)
    encode = _encode_computation(value_type, variables, seed)

    @tff.tensorflow.computation(np.int32)
    def advance(round_number):
        return round_number + 1

    @tff.tensorflow.computation(encode.type_signature.result["sent"])
    def decode(sent):
        tensors = [
            variable.decode(payload, randomness.fold_in(sent["seed"], index))
            for index, (variable, payload) in enumerate(
                zip(variables, sent["payloads"], strict=True)
            )
        ]
        return structures.pack_as(value_type, tensors)

    @tff.federated_computation
    def initialize():
        return tff.federated_value(0, tff.SERVER)

    @tff.federated_computation(
        initialize.type_signature.result, tff.FederatedType(value_type, tff.SERVER)
    )
    def next_fn(state, value):
        encoded = tff.federated_map(encode, (value, state))
        if lossless:
            result = tff.federated_broadcast(value)
        else:
            result = tff.federated_map(decode, tff.federated_broadcast(encoded["sent"]))
        return tff.templates.MeasuredProcessOutput(
            tff.federated_map(advance, state), result, encoded["measurements"]
        )

    return tff.learning.templates.DistributionProcess(initialize, next_fn)


def _encode_computation(
    value_type: tff.Type, variables: list[CodedVariable], seed: int
) -> tff.Computation:
    """(<T, int32> -> <sent=<payloads, seed>, measurements=M>), run once a round at the server."""

    @tff.tensorflow.computation(value_type, np.int32)
    def encode(value, round_number):
        round_seed = tf.stack([seed, round_number])
        payloads = [
            variable.encode(tensor, randomness.fold_in(round_seed, index))
            for index, (variable, tensor) in enumerate(
                zip(variables, structures.flatten(value, value_type), strict=True)
            )
        ]
        bits = tf.stack(
            [
                variable.codec.payload_bits(payload)
                for variable, payload in zip(variables, payloads, strict=True)
            ]
        )
        return collections.OrderedDict(
            sent=collections.OrderedDict(payloads=payloads, seed=round_seed),
            measurements=collections.OrderedDict(
                download_bits=tf.reduce_sum(bits), download_bits_per_variable=bits
            ),
        )

    return encode
