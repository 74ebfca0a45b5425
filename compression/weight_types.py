"""The weights that aggregators take: a number, or a number or one for each variable, and a seed."""

from __future__ import annotations

import collections

import numpy as np
import tensorflow_federated as tff


def carries_seed(weight_type: tff.Type, num_variables: int) -> bool:
    """Whether a client's weight comes with its seed.

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
