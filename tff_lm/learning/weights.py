"""The model's weights as TFF sees them: which variables are trained at all, and their types."""

import dataclasses
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.learning import local_variables
from tff_lm.models.protocol import ModelFn

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


@dataclasses.dataclass(frozen=True)
class Partition:
    """Splits the model's variables into trained and frozen ones, for a whole run.

    Frozen variables are `ModelWeights.non_trainable`: no upload, no server optimizer state, and one
    download for each client.

    Attributes:
      names: `model.weight_names`, in the order of `model.trainable_variables`.
      shapes: Their static shapes.
      trained: Ascending indices into `names`.
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    trained: tuple[int, ...]

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
    return Partition(names, shapes, tuple(range(len(names))))


def build_initial_weights(model_fn: ModelFn, partition: Partition) -> tff.Computation:
    """`( -> ModelWeights)`: the model's own seeded initial weights, drawn where it is executed."""

    @tff.tensorflow.computation
    def initial_weights():
        variables = model_fn().trainable_variables
        return partition.split([v.read_value() for v in variables])

    return initial_weights
