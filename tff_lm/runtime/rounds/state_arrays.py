"""A nested TFF value as a flat dictionary of arrays, copied leaf by leaf.

A server state of a 21M-parameter model with Adam is 250 MB. Copied as one message it is nested
protobufs, copied again at every level, and near gRPC's limit of 2 GB; leaf by leaf it is neither.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow_federated as tff

from tff_lm.runtime.network.connection import Handle, WorkerConnection


def paths(type_: tff.Type) -> list[str]:
    """Names of the leaves of `type_` in order, as in "global_model_weights/trainable/3"."""
    return [path for path, _ in _typed_paths(type_, "")]


def zeros(type_: tff.Type) -> dict[str, np.ndarray]:
    """Arrays of zeros for the leaves of a type whose shapes are known."""
    return {
        path: np.zeros([size or 0 for size in leaf.shape or ()], _numpy_dtype(leaf))
        for path, leaf in _typed_paths(type_, "")
    }


def _typed_paths(type_: tff.Type, prefix: str) -> Iterator[tuple[str, tff.TensorType]]:
    if isinstance(type_, tff.TensorType):
        yield prefix, type_
        return
    for name, element in _elements(type_):
        yield from _typed_paths(element, f"{prefix}/{name}" if prefix else name)


def _elements(type_: tff.StructType) -> list[tuple[str, tff.Type]]:
    """The elements of a structure with their names; an unnamed one is called by its index."""
    if not isinstance(type_, tff.StructType):
        raise TypeError(f"Expected a structure of tensors, found {type_}.")
    return [
        (name or str(index), element)
        for index, (name, element) in enumerate(tff.structure.iter_elements(type_))
    ]


def fetch(connection: WorkerConnection, source: Handle) -> dict[str, np.ndarray]:
    """Copies a value out of the worker: {leaf path: array of the leaf's dtype and shape}."""
    return dict(_fetch(connection, source, ""))


def _fetch(
    connection: WorkerConnection, source: Handle, prefix: str
) -> Iterator[tuple[str, np.ndarray]]:
    type_ = source.type_signature
    if isinstance(type_, tff.TensorType):
        yield prefix, np.asarray(connection.fetch(source), _numpy_dtype(type_))
        return
    for index, (name, _) in enumerate(_elements(type_)):
        element = connection.select(source, index)
        yield from _fetch(connection, element, f"{prefix}/{name}" if prefix else name)


def put(connection: WorkerConnection, arrays: Mapping[str, np.ndarray], type_: tff.Type) -> Handle:
    """Copies arrays, named as `paths(type_)`, into the worker as one value of `type_`.

    Raises:
        ValueError: if a leaf is missing, unknown, or of another dtype or shape; the message names
            it.
    """
    check(arrays, type_)
    return _put(connection, arrays, type_, "")


def check(arrays: Mapping[str, np.ndarray], type_: tff.Type) -> None:
    """Raises ValueError, naming the leaf, unless `arrays` holds exactly the leaves of `type_`."""
    expected = dict(_typed_paths(type_, ""))
    for path in sorted(expected.keys() ^ arrays.keys()):
        kind = "lacks" if path in expected else "has an unknown"
        raise ValueError(f"The state {kind} leaf {path!r}: it belongs to another configuration.")
    for path, leaf in expected.items():
        array = np.asarray(arrays[path])
        if array.dtype != _numpy_dtype(leaf) or not _fits(array.shape, leaf.shape):
            raise ValueError(
                f"Leaf {path!r} of the state is {array.dtype}{list(array.shape)}, expected {leaf}."
            )


def _numpy_dtype(type_: tff.TensorType) -> np.dtype:
    """The dtype of the leaf's array; strings are kept as Python objects (bytes)."""
    return np.dtype(object) if type_.dtype.type is np.str_ else type_.dtype


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...] | None) -> bool:
    if expected is None:
        return True
    return len(shape) == len(expected) and all(
        wanted is None or size == wanted for size, wanted in zip(shape, expected, strict=True)
    )


def _put(
    connection: WorkerConnection, arrays: Mapping[str, np.ndarray], type_: tff.Type, prefix: str
) -> Handle:
    if isinstance(type_, tff.TensorType):
        array = np.asarray(arrays[prefix])
        return connection.put(array if array.ndim else array[()], type_)
    elements = [
        _put(connection, arrays, element, f"{prefix}/{name}" if prefix else name)
        for name, element in _elements(type_)
    ]
    return connection.struct(elements, type_)


def wait(connection: WorkerConnection, source: Handle) -> None:
    """Waits until `source` is computed by fetching its smallest leaf (none: returns at once)."""
    leaves = list(_typed_paths(source.type_signature, ""))
    if not leaves:
        return
    smallest, _ = min(leaves, key=lambda leaf: _size(leaf[1]))
    while not isinstance(source.type_signature, tff.TensorType):
        names = [name for name, _ in _elements(source.type_signature)]
        head, _, smallest = smallest.partition("/")
        source = connection.select(source, names.index(head))
    connection.fetch(source)


def _size(type_: tff.TensorType) -> float:
    """Elements of a tensor; unknown sizes count as infinite."""
    if type_.shape is None or None in type_.shape:
        return float("inf")
    return float(np.prod(type_.shape, dtype=np.float64))
