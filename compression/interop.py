"""TFF's own aggregators and ours in each other's place.

`CodedSumFactory` is a sum through a codec, for those of TFF that aggregate records by a sum, such
as its differential privacy:

    query = tfp.NormalizedQuery(tfp.GaussianSumQuery(clip, clip * noise_multiplier), cohort)
    private = tff.aggregators.DifferentiallyPrivateFactory(query, CodedSumFactory(codec))

`with_weights` lets any of TFF's aggregators serve our learning process, whose server asks for the
weight of each variable: `with_weights(private)`, `with_weights(tff.aggregators.MeanFactory())`.
TFF's clipping and zeroing go around `UpdateAggregator` as they are.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from compression import structures
from compression.aggregation import UpdateAggregator
from compression.codec import Codec, all_finite
from compression.rules.sum import Sum
from compression.variables import DEFAULT_MIN_ELEMENTS
from compression.weight_types import carries_seed


class CodedSumFactory(tff.aggregators.UnweightedAggregationFactory):
    """The sum of the clients' records, each of which travels through a codec.

    A record with a NaN or an infinity is dropped and counted. Measurements are those of
    `UpdateAggregator`. Noise follows from the records, the seed and the round.

    TFF's privacy assumes that a sum does not lengthen the records which it has clipped. Codecs that
    only round to nearest or leave values out keep that up to rounding; unbiased ones (stochastic
    rounding, random subsets, EDEN) do not, and its epsilon then promises too much.
    """

    def __init__(self, codec: Codec, *, min_elements: int = DEFAULT_MIN_ELEMENTS, seed: int = 0):
        """Initializes the factory; arguments as those of `UpdateAggregator`."""
        self._coded = UpdateAggregator(codec, rule=Sum(), min_elements=min_elements, seed=seed)

    def create(self, value_type: tff.Type) -> tff.templates.AggregationProcess:
        """`next: (<state=S@SERVER, value={T}@CLIENTS> -> <state=S, result=T, measurements=M>)`."""
        coded = self._coded.create(value_type, tff.TensorType(np.float32))

        @tff.tensorflow.computation(value_type)
        def one(value):
            del value
            return tf.constant(1.0)

        @tff.federated_computation(
            coded.initialize.type_signature.result, tff.FederatedType(value_type, tff.CLIENTS)
        )
        def next_fn(state, value):
            output = coded.next(state, value, tff.federated_map(one, value))
            return tff.templates.MeasuredProcessOutput(
                output.state, output.result["mean"], output.measurements
            )

        return tff.templates.AggregationProcess(coded.initialize, next_fn)


def with_weights(
    factory: tff.aggregators.WeightedAggregationFactory
    | tff.aggregators.UnweightedAggregationFactory,
) -> tff.aggregators.WeightedAggregationFactory:
    """An aggregator of ours around one of TFF's.

    Its processes take one weight a client, float32[] or `<weight=float32[], seed=int32[2]>` (the
    seed is not used), and give `<mean=T, weight=float32[V]>` with the clients' total weight in
    every place. An unweighted factory gets the updates alone, zeros from clients of weight 0, and
    `weight` is then the number of the others. What is not finite is judged here, as
    `UpdateAggregator` does it, and enters as zeros of weight 0.

    Measurements: `upload_bits`, `upload_bits_per_variable`, `nonfinite_clients`, `clients` as
    `UpdateAggregator` has them, and the factory's own under `inner`. Bits are those that a coded
    sum somewhere within it measured; without one, those of the updates as they are.

    Raises (in `create`):
      TypeError: For one weight for each variable: TFF's aggregators know no such thing.
    """
    return _WithWeights(factory)


class _WithWeights(tff.aggregators.WeightedAggregationFactory):
    def __init__(self, factory):
        self._factory = factory
        self._weighted = isinstance(factory, tff.aggregators.WeightedAggregationFactory)

    def create(
        self, value_type: tff.Type, weight_type: tff.Type
    ) -> tff.templates.AggregationProcess:
        """See `with_weights`."""
        types = structures.tensor_types(value_type)
        seeded = carries_seed(weight_type, len(types))
        if seeded and weight_type["weight"].shape != ():
            raise TypeError(
                "TFF's aggregators know one weight for all variables; where each client trains a "
                "set of its own (partial.policy), use UpdateAggregator."
            )
        judge = self._judge_computation(value_type, weight_type, seeded)
        weight = [tff.TensorType(np.float32)] if self._weighted else []
        inner = self._factory.create(value_type, *weight)
        inner_result = inner.next.type_signature.result
        finish = _finish_computation(
            types,
            inner_result.result.member,
            inner_result.measurements.member,
            judge.type_signature.result["counts"],
        )

        @tff.federated_computation(
            inner.initialize.type_signature.result,
            tff.FederatedType(value_type, tff.CLIENTS),
            tff.FederatedType(weight_type, tff.CLIENTS),
        )
        def next_fn(state, value, weight):
            judged = tff.federated_map(judge, (value, weight))
            counts = tff.federated_sum(judged["counts"])
            arguments = [judged["counts"]["weight"]] if self._weighted else []
            output = inner.next(state, judged["value"], *arguments)
            finished = tff.federated_map(finish, (output.result, counts, output.measurements))
            return tff.templates.MeasuredProcessOutput(
                output.state, finished["result"], finished["measurements"]
            )

        return tff.templates.AggregationProcess(inner.initialize, next_fn)

    def _judge_computation(
        self, value_type: tff.Type, weight_type: tff.Type, seeded: bool
    ) -> tff.Computation:
        """(<T, W> -> <value=T, counts=<weight, clients, nonfinite>>), at each client."""

        @tff.tensorflow.computation(value_type, weight_type)
        def judge(value, weight):
            values = structures.flatten(value, value_type)
            weight = tf.cast(weight["weight"] if seeded else weight, tf.float32)
            given = tf.math.is_finite(weight) & (weight >= 0.0)
            # What is not sent is not judged.
            sound = tf.reduce_all(tf.stack([all_finite(tensor) for tensor in values]))
            finite = given & (sound | tf.equal(weight, 0.0))
            taken = finite & (weight > 0.0)
            kept = [tf.where(taken, tensor, tf.zeros_like(tensor)) for tensor in values]
            counted = weight if self._weighted else tf.constant(1.0)
            counts = collections.OrderedDict(
                weight=tf.where(taken, counted, 0.0),
                clients=tf.cast(taken, tf.int32),
                nonfinite=tf.cast(~finite, tf.int32),
            )
            kept = structures.pack_as(value_type, kept)
            return collections.OrderedDict(value=kept, counts=counts)

        return judge


def _finish_computation(
    types: Sequence[tff.TensorType],
    result_type: tff.Type,
    measured_type: tff.Type,
    counts_type: tff.Type,
) -> tff.Computation:
    """(<R, counts, M1> -> <result=<mean=R, weight=float32[V]>, measurements=M>), at the server."""

    @tff.tensorflow.computation(result_type, counts_type, measured_type)
    def finish(mean, counts, measured):
        trained = counts["weight"] > 0.0
        # A mean over nobody may be 0 / 0.
        tensors = [
            tf.where(trained, tensor, tf.zeros_like(tensor))
            for tensor in structures.flatten(mean, result_type)
        ]
        bits = _coded_bits(measured)
        if bits is None:
            sizes = [8 * t.dtype.itemsize * int(np.prod(t.shape)) for t in types]
            bits = tf.cast(counts["clients"], tf.int64) * tf.constant(sizes, tf.int64)
        return collections.OrderedDict(
            result=collections.OrderedDict(
                mean=structures.pack_as(result_type, tensors),
                weight=tf.fill([len(types)], counts["weight"]),
            ),
            measurements=collections.OrderedDict(
                upload_bits=tf.reduce_sum(bits),
                upload_bits_per_variable=bits,
                nonfinite_clients=counts["nonfinite"],
                clients=counts["clients"],
                inner=measured,
            ),
        )

    return finish


def _coded_bits(measured: object) -> tf.Tensor | None:
    """int64[V]: `upload_bits_per_variable` of the first coded sum in nested measurements."""
    for found in _mappings(measured):
        if "upload_bits_per_variable" in found:
            return found["upload_bits_per_variable"]
    return None


def _mappings(measured: object) -> Iterator[Mapping]:
    if isinstance(measured, Mapping):
        yield measured
        for inner in measured.values():
            yield from _mappings(inner)
