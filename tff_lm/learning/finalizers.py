"""The server's part of a round as a `tff.learning.templates.FinalizerProcess`, for any algorithm.

Reddi et al. 2021, "Adaptive Federated Optimization" (arXiv 2003.00295), Algorithm 2: the mean
client delta takes the place of a gradient. `epsilon` is the paper's tau. As in TFF, FedAdam and
FedYogi correct the bias of their moments, which the paper's listing does not.

The schedule counts the rounds in which something was trained. A variable whose aggregated weight is
0 was trained by no client (partial training, a cohort without data): it keeps its value, its
moments do not decay, and its own step counter (for the bias correction) stands still. Whether its
mean is zero does not matter: a variable that was trained, but whose every value a codec rounded to
zero, has made a step.

No client that is not finite enters a mean; that is judged where uploads are encoded
(`compression.upload`). What is left to guard against here is the sum itself: numbers near float32's
largest that together, or with noise on them, leave its range. Such a mean is rejected as a whole,
and counts as the rejection of all its clients (`tff_lm.program.rejections`).
"""

from collections import OrderedDict

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.learning.algorithms.algorithm import Algorithm, Mean
from tff_lm.learning.hyperparameters import hparams_computations
from tff_lm.learning.schedules import build_schedule
from tff_lm.learning.server import Server, accepted_weights, initial_slots


def build_finalizer(
    algorithm: Algorithm, weights_type: tff.StructType
) -> tff.learning.templates.FinalizerProcess:
    """Wires `algorithm.server_step`.

    `next: (<S@SERVER,ModelWeights@SERVER,<mean=U,weight=float32[n]>@SERVER> ->
    <state=S,result=ModelWeights,measurements=M>@SERVER)`.

    A mean that is not finite is rejected as a whole and counted in the measurements.

    Args:
      algorithm: The algorithm.
      weights_type: Of the model's weights; `U` is its `trainable` part.
    """
    variables, optimizer = algorithm.variables, algorithm.optimizer
    schedule = build_schedule(algorithm.options.server_schedule)
    trainable_type = weights_type.trainable

    @tff.tensorflow.computation
    def initial_state():
        return OrderedDict(
            learning_rate=tf.constant(algorithm.server_rate, tf.float32),
            round=tf.constant(0, tf.int32),
            steps=tf.zeros([len(variables)], tf.int32),
            slots=initial_slots(optimizer, variables),
        )

    state_type = initial_state.type_signature.result
    aggregate_type = tff.to_type(
        OrderedDict(mean=trainable_type, weight=tff.TensorType(np.float32, [len(variables)]))
    )

    @tff.tensorflow.computation(state_type, trainable_type, aggregate_type)
    def update_weights(state, weights, aggregate):
        values = tf.nest.flatten(weights)
        update = tf.nest.flatten(aggregate["mean"])

        @tf.function(autograph=False)
        def run(state, values, update, weight):
            weight, square = accepted_weights(update, weight)
            rate = state["learning_rate"] * schedule(state["round"])
            server = Server(
                optimizer,
                [variable.name for variable in variables],
                values,
                [list(slots) for slots in state["slots"]],
                learning_rate=rate,
                steps=state["steps"],
            )
            touched = algorithm.server_step(server, Mean(update, weight))
            new_state = OrderedDict(
                learning_rate=state["learning_rate"],
                round=state["round"] + tf.reduce_max(touched),
                steps=state["steps"] + touched,
                slots=server.slot_values(),
            )
            measurements = OrderedDict(
                update_non_finite=1 - tf.cast(tf.math.is_finite(square), tf.int32),
                update_norm=tf.sqrt(square),
                learning_rate=rate,
                variables_updated=tf.reduce_sum(touched),
            )
            return new_state, server.values(), measurements

        return run(state, values, update, aggregate["weight"])

    @tff.federated_computation
    def init_fn():
        return tff.federated_eval(initial_state, tff.SERVER)

    @tff.federated_computation(
        init_fn.type_signature.result,
        tff.FederatedType(weights_type, tff.SERVER),
        tff.FederatedType(aggregate_type, tff.SERVER),
    )
    def next_fn(state, weights, aggregate):
        new_state, trainable, measurements = tff.federated_map(
            update_weights, (state, weights.trainable, aggregate)
        )
        new_weights = tff.federated_zip(
            tff.learning.models.ModelWeights(trainable, weights.non_trainable)
        )
        return tff.templates.MeasuredProcessOutput(new_state, new_weights, measurements)

    get_hparams, set_hparams = hparams_computations(state_type, ["learning_rate"])
    return tff.learning.templates.FinalizerProcess(
        init_fn, next_fn, get_hparams_fn=get_hparams, set_hparams_fn=set_hparams
    )
