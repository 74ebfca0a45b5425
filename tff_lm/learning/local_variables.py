"""Model variables that cost nothing to create and share the memory of what is assigned to them.

A client computation first builds its model and then overwrites every weight with the broadcast
ones.  Keras' initializers would draw millions of random numbers per client for nothing, so under
`uninitialized_variables` a variable is a bare handle without an initializer.  `AssignVariableOp`
then makes the handle point at the broadcast tensor's buffer; TensorFlow copies that buffer only
when an in-place update touches it, hence a frozen variable is never copied at all.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import resource_variable_ops


def _bare_variable(
    next_creator: Any,
    *,
    initial_value: Any = None,
    shape: Any = None,
    dtype: Any = None,
    name: str | None = None,
    trainable: bool | None = None,
    **unused: Any,
) -> tf.Variable:
    """A variable creator (see `tf.variable_creator_scope`) that makes a handle only."""
    del next_creator, unused
    if shape is None or dtype is None:
        value = tf.convert_to_tensor(initial_value() if callable(initial_value) else initial_value)
        shape, dtype = value.shape, value.dtype
    return resource_variable_ops.UninitializedVariable(
        shape=tf.TensorShape(shape),
        dtype=tf.as_dtype(dtype),
        name=name,
        trainable=trainable is None or trainable,
    )


@contextlib.contextmanager
def uninitialized_variables() -> Iterator[None]:
    """Within this scope every `tf.Variable` is a handle that must be assigned before it is read."""
    with tf.variable_creator_scope(_bare_variable):
        yield


def create_like(tensors: Sequence[Any], name: str) -> list[tf.Variable]:
    """Uninitialized variables with the static shapes and dtypes of `tensors`."""
    # Variables belong to the computation, not to a function within it.
    with tf.init_scope(), uninitialized_variables():
        return [
            tf.Variable(shape=t.shape, dtype=t.dtype, name=name, trainable=False) for t in tensors
        ]


def assign_all(variables: Sequence[tf.Variable], values: Sequence[Any]) -> None:
    """Points each variable at its value's buffer; call it within a `tf.function`."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value, read_value=False)
