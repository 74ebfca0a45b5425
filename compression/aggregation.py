"""The mean of compressed client updates, made of small parts, as a TFF aggregation factory.

Each client transforms and encodes its own update; the server decodes one upload at a time and adds
it by its rule, so that what lives per client is the packed payload. All sums come from a single
`federated_aggregate`, which depends on nothing that was aggregated before it: TFF can therefore
split the clients between several workers and merge their totals
(`compile_to_mergeable_comp_form`). What the parts may do, and how to write one: `parts`.
"""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf
import tensorflow_federated as tff

from compression import randomness, server_sum, structures, upload
from compression.codec import Codec
from compression.parts import ClientTransform, Rule, SumTransform
from compression.rules.mean import Mean
from compression.server_sum import Parts
from compression.variables import DEFAULT_MIN_ELEMENTS, CodedVariable, code_variables
from compression.weight_types import carries_seed

_NOISE_STREAM = 0x7AC0DEC  # keeps a codec's noise apart from other uses of a client's seed


class UpdateAggregator(tff.aggregators.WeightedAggregationFactory):
    """Combines, per variable, updates that travel through a codec: by default their weighted mean.

    `create(value_type, weight_type)` takes any structure of float tensors, and as weight either a
    float scalar or `OrderedDict(weight=float32[] or float32[V], seed=int32[2])`: one weight for all
    V variables (in the order of declaration) or one each. Weight 0 for a variable means that this
    client did not train it: it is neither encoded nor uploaded (0 bits) nor counted in that
    variable's mean. A variable that nobody sent gets the mean 0 and the weight 0. An update with a
    NaN or an infinity, or a weight that is not finite or negative, is dropped as a whole and
    counted.

    All noise follows from the client's `seed`. With a scalar weight the seed is a hash of the
    update's own values, the factory's seed and the round, so equal updates get equal noise; a real
    client would have to send that seed, 8 bytes, which is not counted. Noise at the server follows
    from the factory's seed and the round.

    The process is (S = <round=int32,client_transforms=<...>,sum_transforms=<...>>, what the parts
    keep; <> for most):
      initialize: ( -> S@SERVER)
      next: (<state=S@SERVER, value={T}@CLIENTS, weight={W}@CLIENTS> ->
             <state=S@SERVER, result=<mean=T,weight=float32[V]>@SERVER, measurements=M@SERVER>)
    where `weight` is what the sums were divided by: the clients' total weight under the rule
    `mean`, 0 for a variable that nobody trained under any. The measurements are, over the clients
    of the round:
      upload_bits: int64[], measured size of everything uploaded for the update.
      upload_bits_per_variable: int64[V].
      nonfinite_clients: int32[], clients dropped for a NaN or an infinity.
      clients: int32[], clients that entered the mean.
      relative_squared_error: float32[], sum ||decoded - x||^2 / sum ||x||^2; only on request.
      Then those of the parts, under their own names (the second of a name gets "_2").
    """

    def __init__(
        self,
        codec: Codec,
        *,
        client_transforms: Sequence[ClientTransform] = (),
        rule: Rule | None = None,
        sum_transforms: Sequence[SumTransform] = (),
        min_elements: int = DEFAULT_MIN_ELEMENTS,
        measure_error: bool = False,
        seed: int = 0,
    ):
        """Initializes the factory.

        Args:
          codec: Carries every float32 variable of at least `min_elements` elements.
          client_transforms: Change a client's update before it is encoded, one after the other.
          rule: How updates are combined; their weighted mean if None.
          sum_transforms: Change the sums before they are divided, one after the other.
          min_elements: Smaller variables are sent as float32.
          measure_error: Also report `relative_squared_error`; costs each client a decoding.
          seed: Distinguishes runs where weights carry no seed of their own, and noise on the sums.

        Raises:
          TypeError: If a part is not of its kind.
        """
        if not isinstance(codec, Codec):
            raise TypeError(f"codec must come from make_codec, not {codec!r}.")
        self._codec = codec
        self._parts = Parts(
            tuple(client_transforms), Mean() if rule is None else rule, tuple(sum_transforms)
        )
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
        initial_state, shared = self._state_computations(variables)
        encode = self._encode_computation(
            value_type, weight_type, shared.type_signature.result, variables
        )
        total_of = _total_computations(variables, self._parts.rule, encode.type_signature.result)
        finish = self._finish_computation(
            value_type, initial_state.type_signature.result, total_of.report.type_signature.result
        )

        @tff.federated_computation
        def initialize():
            return tff.federated_eval(initial_state, tff.SERVER)

        @tff.federated_computation(
            initialize.type_signature.result,
            tff.FederatedType(value_type, tff.CLIENTS),
            tff.FederatedType(weight_type, tff.CLIENTS),
        )
        def next_fn(state, value, weight):
            received = tff.federated_broadcast(tff.federated_map(shared, state))
            uploads = tff.federated_map(encode, (value, weight, received))
            reported = tff.federated_aggregate(
                uploads, total_of.zero(), total_of.accumulate, total_of.merge, total_of.report
            )
            finished = tff.federated_map(finish, (state, reported))
            return tff.templates.MeasuredProcessOutput(
                finished["state"], finished["result"], finished["measurements"]
            )

        return tff.templates.AggregationProcess(initialize, next_fn)

    def _state_computations(
        self, variables: list[CodedVariable]
    ) -> tuple[tff.Computation, tff.Computation]:
        """`( -> S)` and `(S -> B)`: what the server keeps, and what clients receive of it."""

        @tff.tensorflow.computation
        def initial_state():
            return server_sum.initial_state(self._parts, variables)

        @tff.tensorflow.computation(initial_state.type_signature.result)
        def shared(state):
            return collections.OrderedDict(
                round=state["round"], client_transforms=state["client_transforms"]
            )

        return initial_state, shared

    def _encode_computation(
        self,
        value_type: tff.Type,
        weight_type: tff.Type,
        received_type: tff.Type,
        variables: list[CodedVariable],
    ) -> tff.Computation:
        """(<T, W, B> -> upload), run at each client."""
        seeded = carries_seed(weight_type, len(variables))
        transforms = self._parts.client_transforms
        lossless = all(variable.codec.is_lossless for variable in variables)

        @tff.tensorflow.computation(value_type, weight_type, received_type)
        def encode(value, weight, received):
            values = structures.flatten(value, value_type)
            if seeded:
                seed, weight = weight["seed"], weight["weight"]
                seed = randomness.fold_in(seed, _NOISE_STREAM)
            elif lossless and not transforms:
                seed = tf.zeros([2], tf.int32)  # nothing random: spare the hash
            else:
                seed = upload.content_seed(values, self._seed, received["round"])
            weights = tf.broadcast_to(tf.cast(weight, tf.float32), [len(variables)])
            states = received["client_transforms"]
            return upload.encode_update(
                variables, transforms, states, values, weights, seed, self._measure_error
            )

        return encode

    def _finish_computation(
        self, value_type: tff.Type, state_type: tff.Type, reported_type: tff.Type
    ) -> tff.Computation:
        """(<S, reported> -> <state=S, result=<mean=T, weight>, measurements=M>), at the server."""

        @tff.tensorflow.computation(state_type, reported_type)
        def finish(state, reported):
            state, means, weights, measurements = server_sum.finish(
                self._parts, self._seed, state, reported, self._measure_error
            )
            mean = structures.pack_as(value_type, means)
            return collections.OrderedDict(
                state=state,
                result=collections.OrderedDict(mean=mean, weight=weights),
                measurements=measurements,
            )

        return finish


class _TotalComputations(NamedTuple):
    """What `federated_aggregate` needs."""

    zero: tff.Computation
    accumulate: tff.Computation
    merge: tff.Computation
    report: tff.Computation


def _total_computations(
    variables: list[CodedVariable], rule: Rule, upload_type: tff.Type
) -> _TotalComputations:
    """The computations that `federated_aggregate` combines uploads with."""
    measured_type = upload_type["measured"]

    @tff.tensorflow.computation
    def zero():
        scalars = [tf.zeros(t.shape, t.dtype) for t in structures.tensor_types(measured_type)]
        return upload.zero_total(variables, rule, structures.pack_as(measured_type, scalars))

    total_type = zero.type_signature.result

    @tff.tensorflow.computation(total_type, upload_type)
    def accumulate(total, one_upload):
        return upload.accumulate(variables, rule, total, one_upload)

    @tff.tensorflow.computation(total_type, total_type)
    def merge(first, second):
        return upload.merge(rule, first, second)

    @tff.tensorflow.computation(total_type)
    def report(total):
        return server_sum.report(rule, total)

    return _TotalComputations(zero, accumulate, merge, report)
