"""A loop over a data set within a graph.

`dataset.reduce` would do the same, but runs its function without TensorFlow's graph optimizer
(Grappler): local training took 1.3 (21M Transformer, float32) to 1.9 times (4M) the processor time
of the loop below.
"""

from collections.abc import Callable
from typing import TypeVar

import tensorflow as tf

_State = TypeVar("_State")


def fold(
    batches: tf.data.Dataset, initial: _State, step: Callable[[_State, dict], _State]
) -> _State:
    """Returns step(...step(step(initial, first), second)..., last); call it inside a `tf.function`.

    Args:
      batches: The data set; without elements the result is `initial`.
      initial: A structure of tensors.
      step: (state, batch) -> the next state, of the same structure, shapes and dtypes.
    """
    iterator = iter(batches)

    def has_batch(optional, state):
        del state
        return optional.has_value()

    def advance(optional, state):
        state = step(state, optional.get_value())
        return iterator.get_next_as_optional(), state

    start = (iterator.get_next_as_optional(), initial)
    return tf.while_loop(has_batch, advance, start, parallel_iterations=1)[1]
