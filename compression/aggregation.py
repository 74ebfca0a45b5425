"""A weighted mean of compressed client updates, for any codec, as a TFF aggregation factory.

Each client encodes its own update; the server decodes and adds one upload at a time, so that what
lives per client is the packed payload. All sums come from a single `federated_aggregate`, which
depends on nothing that was aggregated before it: TFF can therefore split the clients between
several workers and merge their partial sums (`compile_to_mergeable_comp_form`).
"""

from __future__ import annotations

import collections
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from compression import randomness, structures, upload
from compression.codec import Codec
from compression.variables import DEFAULT_MIN_ELEMENTS, CodedVariable, code_variables

_NOISE_STREAM = 0x7AC0DEC  # keeps a codec's noise apart from other uses of a client's seed


class CompressedMeanFactory(tff.aggregators.WeightedAggregationFactory):
    """Weighted mean, per variable, of updates that travel through a codec.

    `create(value_type, weight_type)` takes any structure of float tensors, and as weight either a
    float scalar or `OrderedDict(weight=float32[] or float32[V], seed=int32[2])`: one weight for all
    V variables (in the order of declaration) or one each. Weight 0 for a variable means that this
    client did not train it: it is neither encoded nor uploaded (0 bits) nor counted in that
    variable's mean. A variable that nobody sent gets the mean 0. An update with a NaN or an
    infinity, or a weight that is not finite or negative, is dropped as a whole and counted.

    All noise follows from the client's `seed`. With a scalar weight the seed is a hash of the
    update's own values, the factory's seed and the round, so equal updates get equal noise; a real
    client would have to send that seed, 8 bytes, which is not counted.

    The process is (S = int32[], the round):
      initialize: ( -> S@SERVER)
      next: (<state=S@SERVER, value={T}@CLIENTS, weight={W}@CLIENTS> ->
             <state=S@SERVER, result=T@SERVER, measurements=M@SERVER>)
    with measurements, over the clients of the round:
      upload_bits: int64[], measured size of everything uploaded for the update.
      upload_bits_per_variable: int64[V].
      nonfinite_clients: int32[], clients dropped for a NaN or an infinity.
      clients: int32[], clients that entered the mean.
      relative_squared_error: float32[], sum ||decoded - x||^2 / sum ||x||^2; only on request.
    """

    def __init__(
        self,
        codec: Codec,
        *,
        min_elements: int = DEFAULT_MIN_ELEMENTS,
        measure_error: bool = False,
        seed: int = 0,
    ):
        """Initializes the factory.

        Args:
          codec: Carries every float32 variable of at least `min_elements` elements.
          min_elements: Smaller variables are sent as float32.
          measure_error: Also report `relative_squared_error`; costs each client a decoding.
          seed: Distinguishes runs where weights carry no seed of their own.
        """
        if not isinstance(codec, Codec):
            raise TypeError(f"codec must come from make_codec, not {codec!r}.")
        self._codec = codec
        self._min_elements = min_elements
        self._measure_error = measure_error
        self._seed = seed

    def create(
        self, value_type: tff.Type, weight_type: tff.Type
    ) -> tff.templates.AggregationProcess:
        """Builds the process for `value_type`; see the class for both arguments."""
        if not tff.types.is_structure_of_floats(value_type):
            raise TypeError(f"Only structures of floats can be averaged, not {value_type}.")
        types = structures.tensor_types(value_type)
        variables = code_variables(
            [(t.shape, t.dtype) for t in types], self._codec, self._min_elements
        )
        seeded = _check_weight_type(weight_type, len(variables))
        encode = self._encode_computation(value_type, weight_type, variables, seeded)
        total_of = _sum_computations(variables, encode.type_signature.result)
        report = self._report_computation(value_type, total_of.zero.type_signature.result)

        @tff.tensorflow.computation(np.int32)
        def advance(round_number):
            return round_number + 1

        @tff.federated_computation
        def initialize():
            return tff.federated_value(0, tff.SERVER)

        @tff.federated_computation(
            initialize.type_signature.result,
            tff.FederatedType(value_type, tff.CLIENTS),
            tff.FederatedType(weight_type, tff.CLIENTS),
        )
        def next_fn(state, value, weight):
            round_number = tff.federated_broadcast(state)
            uploads = tff.federated_map(encode, (value, weight, round_number))
            reported = tff.federated_aggregate(
                uploads, total_of.zero(), total_of.accumulate, total_of.merge, report
            )
            return tff.templates.MeasuredProcessOutput(
                tff.federated_map(advance, state), reported["mean"], reported["measurements"]
            )

        return tff.templates.AggregationProcess(initialize, next_fn)

    def _encode_computation(
        self,
        value_type: tff.Type,
        weight_type: tff.Type,
        variables: list[CodedVariable],
        seeded: bool,
    ) -> tff.Computation:
        """(<T, W, int32> -> upload), run at each client."""

        @tff.tensorflow.computation(value_type, weight_type, np.int32)
        def encode(value, weight, round_number):
            values = structures.flatten(value, value_type)
            if seeded:
                seed, weight = weight["seed"], weight["weight"]
                seed = randomness.fold_in(seed, _NOISE_STREAM)
            elif all(variable.codec.is_lossless for variable in variables):
                seed = tf.zeros([2], tf.int32)  # nothing random: spare the hash
            else:
                seed = upload.content_seed(values, self._seed, round_number)
            weights = tf.broadcast_to(tf.cast(weight, tf.float32), [len(variables)])
            return upload.encode_update(variables, values, weights, seed, self._measure_error)

        return encode

    def _report_computation(self, value_type: tff.Type, total_type: tff.Type) -> tff.Computation:
        """(total -> <mean=T, measurements=M>), run once at the server."""

        @tff.tensorflow.computation(total_type)
        def report(total):
            measurements = collections.OrderedDict(
                upload_bits=tf.reduce_sum(total["bits"]),
                upload_bits_per_variable=total["bits"],
                nonfinite_clients=total["nonfinite"],
                clients=total["clients"],
            )
            if self._measure_error:
                measurements["relative_squared_error"] = tf.math.divide_no_nan(
                    total["error"][0], total["error"][1]
                )
            mean = structures.pack_as(value_type, upload.means(total))
            return collections.OrderedDict(mean=mean, measurements=measurements)

        return report


class _SumComputations(NamedTuple):
    """What `federated_aggregate` needs besides the report."""

    zero: tff.Computation
    accumulate: tff.Computation
    merge: tff.Computation


def _sum_computations(variables: list[CodedVariable], upload_type: tff.Type) -> _SumComputations:
    """The computations that `federated_aggregate` sums uploads with."""

    @tff.tensorflow.computation
    def zero():
        return upload.zero_total(variables)

    total_type = zero.type_signature.result

    @tff.tensorflow.computation(total_type, upload_type)
    def accumulate(total, one_upload):
        return upload.accumulate(variables, total, one_upload)

    @tff.tensorflow.computation(total_type, total_type)
    def merge(first, second):
        return upload.merge(first, second)

    return _SumComputations(zero, accumulate, merge)


def _check_weight_type(weight_type: tff.Type, num_variables: int) -> bool:
    """Whether weights carry a seed.

    Raises:
      TypeError: If the weight is neither a scalar nor `<weight=float32[] or [V], seed=int32[2]>`.
    """
    if isinstance(weight_type, tff.TensorType) and weight_type.shape == ():
        return False
    vector = tff.TensorType(np.float32, [num_variables])
    seed = tff.TensorType(np.int32, [2])
    for weight in (tff.TensorType(np.float32), vector):
        expected = tff.to_type(collections.OrderedDict(weight=weight, seed=seed))
        if expected.is_assignable_from(weight_type):
            return True
    raise TypeError(
        f"weight_type {weight_type} is neither a scalar nor <weight=float32,seed=int32[2]> nor "
        f"<weight=float32[{num_variables}],seed=int32[2]>."
    )
