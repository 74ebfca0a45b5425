"""Evaluation of the global model on clients' text."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.learning import local_variables, metrics, scoring
from tff_lm.learning.batch_loop import fold
from tff_lm.learning.weights import BATCHES_TYPE, ModelFn, Partition


def build_client_evaluation(
    model_fn: ModelFn, partition: Partition, starts_word: Sequence[bool]
) -> tff.Computation:
    """`(<ModelWeights,{x,y,seed}*> -> float32[K])`: the sums of one client's batches."""

    @tff.tensorflow.computation(partition.weights_type(), BATCHES_TYPE)
    def evaluate_client(weights, batches):
        with local_variables.uninitialized_variables():
            model = model_fn()

        @tf.function(autograph=False)
        def run(weights, batches):
            local_variables.assign_all(model.trainable_variables, partition.join(weights))

            def add_batch(row, batch):
                return row + scoring.score_batch(model, batch, starts_word).row

            return fold(batches, tf.zeros([metrics.NUM_METRICS]), add_batch)

        return run(weights, batches)

    return evaluate_client


def build_evaluation(
    model_fn: ModelFn,
    partition: Partition,
    starts_word: Sequence[bool],
    dataset_fn: Callable[[tf.Tensor], tf.data.Dataset],
    state_type: tff.Type,
) -> tff.Computation:
    """`(<S@SERVER,{str}@CLIENTS> -> float32[?,K]@SERVER)`: one row of sums per client.

    Args:
      model_fn: Makes the model.
      partition: Of the learning process whose state is evaluated.
      starts_word: bool[V].
      dataset_fn: Client spec -> batches.
      state_type: Of the learning process: `process.initialize.type_signature.result.member`.
    """
    evaluate_client = build_client_evaluation(model_fn, partition, starts_word)

    @tff.tensorflow.computation(np.str_)
    def batches_of(spec):
        return dataset_fn(spec)

    @tff.federated_computation(
        tff.FederatedType(state_type, tff.SERVER), tff.FederatedType(np.str_, tff.CLIENTS)
    )
    def evaluate(state, specs):
        weights = tff.federated_broadcast(state.global_model_weights)
        batches = tff.federated_map(batches_of, specs)
        return metrics.aggregate_rows(tff.federated_map(evaluate_client, (weights, batches)))

    return evaluate
