"""A small learning process whose clients draw their data from their spec, for tests."""

import collections

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

FEATURES = 16
SLOW_BATCHES = 500

_BATCH = collections.OrderedDict(
    x=tf.TensorSpec([None, FEATURES], tf.float32), y=tf.TensorSpec([None, 1], tf.float32)
)


def dataset_computation() -> tff.Computation:
    """`(str -> batches)`: 2 batches, none for "", many for "...slow", an error for "...broken"."""

    @tff.tensorflow.computation(np.str_)
    def dataset(spec: tf.Tensor) -> tf.data.Dataset:
        seed = tf.strings.to_hash_bucket_fast(spec, 1 << 30)
        batches = tf.where(tf.strings.regex_full_match(spec, ".*slow"), SLOW_BATCHES, 2)
        batches = tf.where(tf.equal(spec, ""), 0, batches)
        broken = tf.strings.regex_full_match(spec, ".*broken")

        def batch(index: tf.Tensor) -> collections.OrderedDict[str, tf.Tensor]:
            with tf.control_dependencies([tf.debugging.Assert(~broken, ["a broken client"])]):
                x = tf.random.stateless_normal([4, FEATURES], tf.stack([seed, index]))
            return collections.OrderedDict(x=x, y=tf.reduce_sum(x, axis=1, keepdims=True))

        return tf.data.Dataset.range(tf.cast(batches, tf.int64)).map(batch)

    return dataset


def model_fn(units: int = 32) -> tff.learning.models.VariableModel:
    """A network of two layers, the same at each call."""

    def initializer(seed: int) -> tf.keras.initializers.Initializer:
        return tf.keras.initializers.GlorotUniform(seed=seed)

    inputs = tf.keras.Input([FEATURES])
    hidden = tf.keras.layers.Dense(units, "tanh", kernel_initializer=initializer(1))(inputs)
    outputs = tf.keras.layers.Dense(1, kernel_initializer=initializer(2))(hidden)
    return tff.learning.models.from_keras_model(
        tf.keras.Model(inputs, outputs),
        loss=tf.keras.losses.MeanSquaredError(),
        input_spec=_BATCH,
        metrics=[],
    )


def learning_process(units: int = 32) -> tff.learning.templates.LearningProcess:
    """FedAdam whose `next` takes client specs."""
    process = tff.learning.algorithms.build_weighted_fed_avg(
        lambda: model_fn(units),
        client_optimizer_fn=tff.learning.optimizers.build_sgdm(0.05),
        server_optimizer_fn=tff.learning.optimizers.build_adam(0.01),
    )
    return tff.simulation.compose_dataset_computation_with_learning_process(
        dataset_computation(), process
    )


def evaluation(process: tff.learning.templates.LearningProcess) -> tff.Computation:
    """`(<S@SERVER, {str}@CLIENTS> -> float32@SERVER)`: mean squared weight times mean target."""
    dataset = dataset_computation()
    state_type = process.initialize.type_signature.result

    @tff.tensorflow.computation(state_type.member, dataset.type_signature.result)
    def score(state, batches):
        weights = state.global_model_weights.trainable
        size = tf.add_n([tf.reduce_mean(tf.square(weight)) for weight in weights])
        return size + batches.reduce(0.0, lambda total, batch: total + tf.reduce_mean(batch["y"]))

    @tff.federated_computation(state_type, tff.FederatedType(np.str_, tff.CLIENTS))
    def evaluate(state, specs):
        at_clients = tff.federated_broadcast(state)
        batches = tff.federated_map(dataset, specs)
        return tff.federated_mean(tff.federated_map(score, (at_clients, batches)))

    return evaluate
