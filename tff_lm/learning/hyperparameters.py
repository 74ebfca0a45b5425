"""Hyperparameters in a process's state: a sweep changes them without compiling again."""

from collections import OrderedDict
from collections.abc import Sequence

import tensorflow_federated as tff


def hparams_computations(
    state_type: tff.StructType, names: Sequence[str]
) -> tuple[tff.Computation, tff.Computation]:
    """`(S -> H)` and `(<S,H> -> S)` for the named fields of a state that is an ordered dict."""

    @tff.tensorflow.computation(state_type)
    def get_hparams(state):
        return OrderedDict((name, state[name]) for name in names)

    @tff.tensorflow.computation(state_type, get_hparams.type_signature.result)
    def set_hparams(state, hparams):
        return OrderedDict((k, hparams[k] if k in names else state[k]) for k in state)

    return get_hparams, set_hparams
