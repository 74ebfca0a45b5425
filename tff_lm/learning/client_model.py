"""The model as clients see it: which variables they train, and their own copy of it in a graph."""

import dataclasses
from collections.abc import Callable, Sequence

import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.learning import local_training, local_variables
from tff_lm.learning.weights import ModelFn, Partition

# (round int32[], client seed int32[2]) -> bool[number of trained variables]
MaskPolicy = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class ClientModel:
    """What is trained, and by whom.

    Attributes:
      model_fn: Makes the model; called within each client computation.
      partition: Which variables are trained.
      starts_word: bool[V], whether a token begins a word.
      mask_policy: Which of the trained variables a client trains in a round; None means all.
    """

    model_fn: ModelFn
    partition: Partition
    starts_word: Sequence[bool]
    mask_policy: MaskPolicy | None = None

    def build_local(
        self,
    ) -> tuple[local_training.LocalModel, Callable[[tff.learning.models.ModelWeights], None]]:
        """Makes the model with unassigned variables.

        Returns:
          The local model, and a function that assigns it weights, to be called before its use.
        """
        # Variables belong to the computation, not to a function within it.
        with tf.init_scope(), local_variables.uninitialized_variables():
            model = self.model_fn()
        variables = model.trainable_variables
        trained = [variables[i] for i in self.partition.trained]

        def bind(weights):
            local_variables.assign_all(variables, self.partition.join(weights))

        names = self.partition.trained_names
        return local_training.LocalModel(model, names, trained, self.starts_word), bind

    def mask_fn(self, round_number: tf.Tensor) -> local_training.MaskFn | None:
        """The mask as a function of the client's seed alone; None trains everything."""
        if self.mask_policy is None:
            return None
        policy = self.mask_policy
        return lambda seed: policy(round_number, seed)
