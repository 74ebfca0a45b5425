"""The model's weights as TFF sees them: which variables are trained at all, and their types."""

import dataclasses
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.learning import local_variables
from tff_lm.models.protocol import MatrixModel, ModelFn

# One batch: inputs and targets (0 is padding), and the client's stateless seed for this round.
BATCH_TYPE = tff.StructWithPythonType(
    [
        ("x", tff.TensorType(np.int32, [None, None])),
        ("y", tff.TensorType(np.int32, [None, None])),
        ("seed", tff.TensorType(np.int32, [2])),
    ],
    OrderedDict,
)
BATCHES_TYPE = tff.SequenceType(BATCH_TYPE)


class VariableSpec(NamedTuple):
    """A variable's name and static shape, and of how many matrices side by side it is made."""

    name: str
    shape: tuple[int, ...]
    matrices: int = 0


def presumed_matrices(name: str, shape: Sequence[int]) -> int:
    """`VariableSpec.matrices` where the model does not say: 1, if it is one and no embedding."""
    return int(len(shape) == 2 and "embed" not in name.lower())


@dataclasses.dataclass(frozen=True)
class Partition:
    """Splits the model's variables into trained and frozen ones, for a whole run.

    Frozen variables are `ModelWeights.non_trainable`: no upload, no server optimizer state, and one
    download for each client.

    Attributes:
      names: `model.weight_names`, in the order of `model.trainable_variables`.
      shapes: Their static shapes.
      trained: Ascending indices into `names`.
      matrices: As in `protocol.MatrixModel`.
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    trained: tuple[int, ...]
    matrices: Mapping[str, int] = dataclasses.field(default_factory=dict, hash=False)

    @property
    def frozen(self) -> tuple[int, ...]:
        """Ascending indices of the frozen variables."""
        trained = set(self.trained)
        return tuple(i for i in range(len(self.names)) if i not in trained)

    @property
    def trained_names(self) -> tuple[str, ...]:
        """Names of the trained variables, in the order of `ModelWeights.trainable`."""
        return tuple(self.names[i] for i in self.trained)

    @property
    def trained_variables(self) -> tuple[VariableSpec, ...]:
        """The trained variables, in the order of `ModelWeights.trainable`."""
        return tuple(
            VariableSpec(self.names[i], self.shapes[i], self.matrices.get(self.names[i], 0))
            for i in self.trained
        )

    @property
    def payload_names(self) -> tuple[str, ...]:
        """Names of all variables in the order of `ModelWeights`: trained, then frozen ones."""
        return self.trained_names + tuple(self.names[i] for i in self.frozen)

    @property
    def constants(self) -> range:
        """Where the frozen variables lie in `payload_names`: what clients download once."""
        return range(len(self.trained), len(self.names))

    def split(self, values: Sequence[Any]) -> tff.learning.models.ModelWeights:
        """Orders one value per variable as `ModelWeights`.

        Raises:
          ValueError: If the number of values is not the number of variables.
        """
        if len(values) != len(self.names):
            raise ValueError(
                f"got {len(values)} weights for a model of {len(self.names)} variables"
            )
        return tff.learning.models.ModelWeights(
            trainable=tuple(values[i] for i in self.trained),
            non_trainable=tuple(values[i] for i in self.frozen),
        )

    def join(self, weights: tff.learning.models.ModelWeights) -> list[Any]:
        """The inverse of `split`: one value per variable, in the model's order."""
        values: list[Any] = [None] * len(self.names)
        for indices, part in (
            (self.trained, weights.trainable),
            (self.frozen, weights.non_trainable),
        ):
            for i, value in zip(indices, list(part), strict=True):
                values[i] = value
        return values

    def weights_type(self) -> tff.StructWithPythonType:
        """`<trainable=<float32[...],...>,non_trainable=<float32[...],...>>`."""
        types = [tff.TensorType(np.float32, shape) for shape in self.shapes]
        return tff.types.to_type(self.split(types))


def full_partition(model_fn: ModelFn) -> Partition:
    """The partition that trains every variable of the model."""
    with tf.Graph().as_default(), local_variables.uninitialized_variables():
        model = model_fn()
        names = tuple(model.weight_names)
        shapes = tuple(tuple(v.shape.as_list()) for v in model.trainable_variables)
        if isinstance(model, MatrixModel):
            matrices = dict(model.matrices)
        else:
            matrices = _presumed(names, shapes)
    return Partition(names, shapes, tuple(range(len(names))), matrices)


def _presumed(names: Sequence[str], shapes: Sequence[Sequence[int]]) -> dict[str, int]:
    counts = {n: presumed_matrices(n, shape) for n, shape in zip(names, shapes, strict=True)}
    return {name: count for name, count in counts.items() if count}


def build_initial_weights(model_fn: ModelFn, partition: Partition) -> tff.Computation:
    """`( -> ModelWeights)`: the model's own seeded initial weights, drawn where it is executed."""

    @tff.tensorflow.computation
    def initial_weights():
        variables = model_fn().trainable_variables
        return partition.split([v.read_value() for v in variables])

    return initial_weights
