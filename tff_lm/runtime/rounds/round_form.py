"""A federated round taken apart into plain TensorFlow computations: TFF's MapReduce form.

    state -- prepare --> broadcast                                       at the server
    order, broadcast -- work --> update                                  at each client
    zero; accumulator, update -- accumulate --> accumulator              one client after another
    accumulator, accumulator -- merge --> accumulator                    between workers
    accumulator -- report --> aggregate                                  at the server
    state, aggregate -- update --> state, metrics                        at the server

`tff.backends.mapreduce` splits any `next` with one broadcast and one aggregation (several parallel
ones count as one) this way. The runtime runs the parts instead of the federated whole, because
TFF's C++ federating executor
- holds the results of all clients of a `federated_map` until the aggregation has read them, so that
  memory grows with the cohort; here an update is forgotten once it is accumulated;
- writes every broadcast and every aggregate to a protobuf and reads it back, at each client count
  anew; here values of unplaced computations stay tensors, passed by reference;
- needs one executor for each number of clients; here the number does not matter.
The accumulation is done in the order of the clients, as TFF does it, so the result is that of
`process.next`, bit for bit.
"""

import dataclasses
import functools

import tensorflow_federated as tff

# Compiling takes seconds, and a run compiles a handful of computations, some of them repeatedly.
_CACHED = 8

_PARTS = ("prepare", "work", "zero", "accumulate", "merge", "report", "update")


@dataclasses.dataclass(frozen=True, eq=False)
class RoundForm:
    """The parts of a round, compiled for a worker, each a computation over unplaced values.

    With S the state, B the broadcast, U a client's update, A an accumulator, R the report and M the
    metrics:

    Attributes:
        prepare: `(S -> B)`.
        work: `(<str, B> -> <U, <>, <>, <>>)`. The empty places are secure sums.
        zero: `( -> A)`.
        accumulate: `(<A, U> -> A)`.
        merge: `(<A, A> -> A)`.
        report: `(A -> R)`.
        update: `(<S, <R, <>, <>, <>>> -> <S, M>)`.
        metrics_type: M with the Python containers that the process declared.
    """

    prepare: tff.Computation
    work: tff.Computation
    zero: tff.Computation
    accumulate: tff.Computation
    merge: tff.Computation
    report: tff.Computation
    update: tff.Computation
    metrics_type: tff.Type

    @property
    def parts(self) -> dict[str, tff.Computation]:
        """The computations by name."""
        return {name: getattr(self, name) for name in _PARTS}


@functools.lru_cache(maxsize=_CACHED)
def compile_initialize(initialize: tff.Computation) -> tff.Computation:
    """Compiles `( -> S@SERVER)` into `( -> S)`."""
    return _compile(tff.backends.mapreduce.get_state_initialization_computation(initialize))


@functools.lru_cache(maxsize=_CACHED)
def compile_next(next_: tff.Computation) -> RoundForm:
    """Compiles `(<S@SERVER, {str}@CLIENTS> -> <S@SERVER, M@SERVER>)` into its parts.

    Raises:
        ValueError: if the computation uses secure sums, which the TFF worker does not implement.
    """
    form = tff.backends.mapreduce.get_map_reduce_form_for_computation(next_)
    if form.securely_aggregates_tensors:
        raise ValueError(
            "The computation uses a secure sum, which TFF's C++ worker does not implement; use a "
            "plain sum or mean here."
        )
    parts = {name: _compile(getattr(form, name)) for name in _PARTS}
    return RoundForm(metrics_type=next_.type_signature.result[1].member, **parts)


@functools.lru_cache(maxsize=_CACHED)
def compile_evaluate(evaluate: tff.Computation) -> RoundForm:
    """Compiles `(<S@SERVER, {str}@CLIENTS> -> M@SERVER)`: a round that keeps its state."""
    state_type, clients_type = evaluate.type_signature.parameter

    @tff.federated_computation(state_type, clients_type)
    def evaluation_round(state, clients):
        return state, evaluate(state, clients)

    return compile_next(evaluation_round)


def _compile(computation: tff.Computation) -> tff.Computation:
    """Lets the worker cache the graph and skip graph optimization, which the form has had."""
    return tff.backends.native.transform_to_native_form(computation)
