"""What clients keep between their rounds, in the types and computations of a process.

It comes along with a client's data, and what the client keeps next is left in an aggregation that
adds up nothing: the runtime takes it from there (`runtime/rounds/client_states.py`), and no server
ever holds it.
"""

from collections import OrderedDict

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.client_state.store import CLIENT_STATE
from tff_lm.learning.algorithms.algorithm import Algorithm
from tff_lm.learning.weights import BATCHES_TYPE


def client_state_zero(algorithm: Algorithm) -> tff.Computation | None:
    """`( -> K)`: what a client has before it keeps something; None if clients keep nothing."""
    with tf.Graph().as_default():
        if not tf.nest.flatten(algorithm.initial_kept()):
            return None

    @tff.tensorflow.computation
    def zero():
        return algorithm.initial_kept()

    return zero


def data_type(algorithm: Algorithm) -> tff.Type:
    """What a client brings along: its batches, and what it kept."""
    zero = client_state_zero(algorithm)
    if zero is None:
        return BATCHES_TYPE
    kept = tff.SequenceType(zero.type_signature.result)
    return tff.to_type(OrderedDict(batches=BATCHES_TYPE, kept=kept))


def leave_with_clients(kept: tff.Value) -> tff.Value:
    """`K@CLIENTS -> int32@SERVER`: an aggregation that takes nothing but the number of clients."""
    kept_type = tff.to_type(OrderedDict([(CLIENT_STATE, kept.type_signature.member)]))

    @tff.tensorflow.computation(kept.type_signature.member)
    def name(state):
        return OrderedDict([(CLIENT_STATE, state)])

    @tff.tensorflow.computation
    def zero():
        return tf.constant(0)

    @tff.tensorflow.computation(np.int32, kept_type)
    def accumulate(count, state):
        del state
        return count + 1

    @tff.tensorflow.computation(np.int32, np.int32)
    def merge(first, second):
        return first + second

    @tff.tensorflow.computation(np.int32)
    def report(count):
        return count

    return tff.federated_aggregate(tff.federated_map(name, kept), zero(), accumulate, merge, report)
