"""Joins a learning process with its data: a round takes client specs, not batches."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff


def with_client_specs(
    process: tff.learning.templates.LearningProcess,
    dataset_fn: Callable[[tf.Tensor], tf.data.Dataset],
) -> tff.Computation:
    """`(<S@SERVER,{str}@CLIENTS> -> <state=S@SERVER,metrics=M@SERVER>)`.

    Args:
      process: With `next` of type `(<S@SERVER,{{x,y,seed}*}@CLIENTS> -> ...)`.
      dataset_fn: A client spec (string[]) -> its batches, in TensorFlow core operations alone: it
        runs at the client. The empty spec must give a data set without batches.
    """

    @tff.tensorflow.computation(np.str_)
    def batches_of(spec):
        return dataset_fn(spec)

    return tff.simulation.compose_dataset_computation_with_computation(batches_of, process.next)


def with_given_weights(process: tff.learning.templates.LearningProcess) -> tff.Computation:
    """`(ModelWeights@SERVER -> S@SERVER)`: a fresh state with the given weights (warm start).

    The weights are an argument, so no graph holds them as a constant.
    """
    weights_type = process.get_model_weights.type_signature.result

    @tff.federated_computation(tff.FederatedType(weights_type, tff.SERVER))
    def initialize_from(weights):
        state = process.initialize()
        return tff.federated_map(process.set_model_weights, (state, weights))

    return initialize_from
