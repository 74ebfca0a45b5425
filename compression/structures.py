"""Flattening TFF structures in the order of their declaration (tf.nest would sort by key)."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow_federated as tff


def tensor_types(value_type: tff.Type) -> list[tff.TensorType]:
    """The tensor types in `value_type`, a tensor or any nesting of structures.

    Raises:
      TypeError: If it holds anything but tensors.
    """
    if isinstance(value_type, tff.TensorType):
        return [value_type]
    if not tff.types.is_structure_of_tensors(value_type):
        raise TypeError(f"Only structures of tensors can be coded, not {value_type}.")
    return tff.structure.flatten(value_type)


def flatten(value: object, value_type: tff.Type) -> list:
    """The tensors of `value`, an argument of a TFF computation of `value_type`."""
    if isinstance(value_type, tff.TensorType):
        return [value]
    return tff.structure.flatten(tff.structure.from_container(value, recursive=True))


def pack_as(value_type: tff.Type, tensors: Sequence) -> object:
    """`tensors` in the Python containers of `value_type`: the inverse of `flatten`."""
    if isinstance(value_type, tff.TensorType):
        return tensors[0]
    return tff.types.type_to_py_container(
        tff.structure.pack_sequence_as(_skeleton(value_type), list(tensors)), value_type
    )


def _skeleton(value_type: tff.Type) -> tff.structure.Struct | None:
    """A tff.structure.Struct nested as `value_type` is, with None in place of each tensor."""
    if isinstance(value_type, tff.TensorType):
        return None
    elements = tff.structure.iter_elements(value_type)
    return tff.structure.Struct((name, _skeleton(element)) for name, element in elements)
