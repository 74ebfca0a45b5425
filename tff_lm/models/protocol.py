"""What the rest of the project needs of a model, however it is made. Free of TensorFlow.

`language_model.LanguageModel` is all of it; `tests/tff_lm/models/contract.py` checks what types
cannot say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import tensorflow as tf


@runtime_checkable
class TrainableModel(Protocol):
    """What learning, central training and warm starts need: weights by name, and scores.

    All weights are made with the model, are trainable and float32; making it again gives equal
    initial values.
    """

    @property
    def weight_names(self) -> Sequence[str]:
        """Unique names of `trainable_variables`, in their order, the same in every graph."""

    @property
    def trainable_variables(self) -> Sequence[tf.Variable]:
        """The weights, in the order of the layers from the bottom up."""

    @property
    def freezable(self) -> Collection[str]:
        """The weight names that `score` accepts in `trained`."""

    def score(
        self,
        x: tf.Tensor,
        y: tf.Tensor,
        training: bool = False,
        seed: tf.Tensor | None = None,
        trained: Mapping[str, tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits and labels of the N real targets, in row-major order.

        Args:
          x: int32[B, T], the inputs.
          y: int32[B, T], the targets; 0 is padding on the right, at the same places as in `x`.
          training: Whether dropout acts.
          seed: int32[2], stateless seed of dropout.
          trained: bool scalars by weight name; where false, the weight's gradient is zero and need
            not be computed. Weights that are not named are trained.

        Returns:
          (float32[N, V], int32[N]).

        Raises:
          ValueError: If `trained` names what is not in `freezable`.
        """


@runtime_checkable
class MatrixModel(TrainableModel, Protocol):
    """A model that says which of its weights are the matrices of products; it need not."""

    @property
    def matrices(self) -> Mapping[str, int]:
        """Of each weight [in, out] that maps activations: its name, and how many it is made of.

        They lie side by side along the last axis, equally wide, such as those of query, key and
        value. Embeddings, kernels of convolutions by channel, and what is no matrix are left out.
        """


@runtime_checkable
class ServableModel(TrainableModel, Protocol):
    """What suggestions and exported models need, too: logits everywhere."""

    def __call__(self, tokens: tf.Tensor, /) -> tf.Tensor:
        """int32[B, T], padded with 0 on the right -> float32[B, T, V], 0 at the padding."""


# Makes the model anew at every call, in the current graph.
ModelFn = Callable[[], TrainableModel]
