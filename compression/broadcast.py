"""Sending the server's model to the clients through a codec, as a TFF distribution process.

The model is encoded once a round at the server and every client decodes the same payload, so all of
them train from the same decoded model, and their deltas are taken against it.

Some variables may be constant for a whole run (`constants`: the weights that a fixed subset
freezes). A client downloads those the first time it takes part and keeps them: their payload is
measured apart, and it is the same in every round, noise included, for what was sent once cannot
change. Who takes part for the first time is not known here; the ledger is told.
"""

from __future__ import annotations

import collections
from collections.abc import Collection, Sequence

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from compression import randomness, structures
from compression.codec import Codec
from compression.variables import DEFAULT_MIN_ELEMENTS, CodedVariable, code_variables

_ONCE = -1  # stands for the round in the noise of constants; real rounds count from 0


def build_compressed_broadcast(
    value_type: tff.Type,
    codec: Codec,
    *,
    seed: int = 0,
    min_elements: int = DEFAULT_MIN_ELEMENTS,
    constants: Collection[int] = (),
    calls_per_round: int = 1,
) -> tff.learning.templates.DistributionProcess:
    """Builds the process that broadcasts a `value_type` (any structure of tensors, V in all).

    The process is (S = int32[], its calls so far):
      initialize: ( -> S@SERVER)
      next: (<state=S@SERVER, value=T@SERVER> ->
             <state=S@SERVER, result={T}@CLIENTS, measurements=M@SERVER>)
    with measurements, for one client of the round:
      download_bits: int64[], measured size of the payload of every round, constants excluded.
      download_bits_per_variable: int64[V], 0 for constants.
      first_download_bits: int64[], measured size of the constants' payload, for a client that takes
        part for the first time; only if there are constants.
      first_download_bits_per_variable: int64[V], likewise, 0 for the other variables.

    The noise follows from (seed, round), so that all calls of a round send one and the same model;
    that of constants from the seed alone. A lossless codec
    sends the model as it is, at no cost.

    Args:
      value_type: For example the `tff.learning.models.ModelWeights` type of a model.
      codec: Carries every float32 tensor of at least `min_elements` elements.
      seed: The run's seed.
      min_elements: Smaller tensors, and those of another dtype, are sent as they are.
      constants: Indices, in flattened order, of the tensors that are the same in every round.
      calls_per_round: How often `next` is called in a round.

    Raises:
      ValueError: If there is no tensor of such an index.
    """
    types = structures.tensor_types(value_type)
    variables = code_variables([(t.shape, t.dtype) for t in types], codec, min_elements)
    if unknown := set(constants) - set(range(len(variables))):
        raise ValueError(f"constants {sorted(unknown)}: there are {len(variables)} tensors.")
    lossless = all(variable.codec.is_lossless for variable in variables)
    encode = _encode_computation(value_type, variables, seed, frozenset(constants))

    @tff.tensorflow.computation(np.int32)
    def advance(calls):
        return calls + 1

    @tff.tensorflow.computation(np.int32)
    def round_of(calls):
        return calls // calls_per_round

    @tff.tensorflow.computation(encode.type_signature.result["sent"])
    def decode(sent):
        parts = {"payloads": iter(sent["payloads"]), "stored": iter(sent["stored"])}
        tensors = [
            next(parts["stored"])
            if index in constants
            else variable.decode(next(parts["payloads"]), randomness.fold_in(sent["seed"], index))
            for index, variable in enumerate(variables)
        ]
        return structures.pack_as(value_type, tensors)

    @tff.federated_computation
    def initialize():
        return tff.federated_value(0, tff.SERVER)

    @tff.federated_computation(
        initialize.type_signature.result, tff.FederatedType(value_type, tff.SERVER)
    )
    def next_fn(state, value):
        round_number = tff.federated_map(round_of, state)
        encoded = tff.federated_map(encode, (value, round_number))
        if lossless:
            result = tff.federated_broadcast(value)
        else:
            result = tff.federated_map(decode, tff.federated_broadcast(encoded["sent"]))
        return tff.templates.MeasuredProcessOutput(
            tff.federated_map(advance, state), result, encoded["measurements"]
        )

    return tff.learning.templates.DistributionProcess(initialize, next_fn)


def _encode_computation(
    value_type: tff.Type, variables: list[CodedVariable], seed: int, constants: frozenset[int]
) -> tff.Computation:
    """(<T, int32> -> <sent=<payloads, stored, seed>, measurements=M>), once a round at the server.

    `stored` holds the constants as the clients have them: decoded here, once for all of them.
    """

    @tff.tensorflow.computation(value_type, np.int32)
    def encode(value, round_number):
        round_seed = tf.stack([seed, round_number])
        payloads, stored, bits = [], [], []
        for index, (variable, tensor) in enumerate(
            zip(variables, structures.flatten(value, value_type), strict=True)
        ):
            own_seed = tf.constant([seed, _ONCE]) if index in constants else round_seed
            variable_seed = randomness.fold_in(own_seed, index)
            payload = variable.encode(tensor, variable_seed)
            bits.append(variable.codec.payload_bits(payload))
            if index in constants:
                stored.append(variable.decode(payload, variable_seed))
            else:
                payloads.append(payload)
        return collections.OrderedDict(
            sent=collections.OrderedDict(payloads=payloads, stored=stored, seed=round_seed),
            measurements=_measurements(bits, constants),
        )

    return encode


def _measurements(
    bits: Sequence[tf.Tensor], constants: frozenset[int]
) -> collections.OrderedDict[str, tf.Tensor]:
    """Of int64[] bits a variable: what every round sends, and what a client gets once."""
    nothing = tf.zeros([], tf.int64)
    recurring = [nothing if i in constants else one for i, one in enumerate(bits)]
    parts = {"download_bits": recurring}
    if constants:
        first = [one if i in constants else nothing for i, one in enumerate(bits)]
        parts["first_download_bits"] = first
    measurements: collections.OrderedDict[str, tf.Tensor] = collections.OrderedDict()
    for name, values in parts.items():
        # A value without tensors (the state of an optimizer that has none) has no bits.
        per_variable = tf.stack(values) if values else tf.zeros([0], tf.int64)
        measurements[name] = tf.reduce_sum(per_variable)
        measurements[f"{name}_per_variable"] = per_variable
    return measurements
