"""The server's optimizer step on the aggregated client update.

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

from tff_lm.learning import local_variables
from tff_lm.learning.hyperparameters import hparams_computations
from tff_lm.learning.schedules import Schedule
from tff_lm.learning.server_state import slot_values, step_trained, trained_variables
from tff_lm.learning.update_rules import UpdateRule


def build_server_optimizer(
    rule: UpdateRule, learning_rate: float, schedule: Schedule, weights_type: tff.StructType
) -> tff.learning.templates.FinalizerProcess:
    """Applies an optimizer step to the model.

    `next: (<S@SERVER,ModelWeights@SERVER,<mean=U,weight=float32[n]>@SERVER> ->
    <state=S,result=ModelWeights,measurements=M>@SERVER)`.

    An update that is not finite is rejected as a whole and counted in the measurements.

    Args:
      rule: The optimizer.
      learning_rate: Base learning rate, a hyperparameter of the process (`set_hparams`).
      schedule: Factor on it by round.
      weights_type: Of the model's weights; `U` is its `trainable` part, of n variables.
    """
    trainable_type = weights_type.trainable
    aggregate_type = tff.to_type(
        OrderedDict(mean=trainable_type, weight=tff.TensorType(np.float32, [len(trainable_type)]))
    )

    @tff.tensorflow.computation
    def initial_state():
        return OrderedDict(
            learning_rate=tf.constant(learning_rate, tf.float32),
            round=tf.constant(0, tf.int32),
            steps=tf.zeros([len(trainable_type)], tf.int32),
            slots=slot_values(rule, trainable_type),
        )

    state_type = initial_state.type_signature.result

    @tff.tensorflow.computation(state_type, trainable_type, aggregate_type)
    def update_weights(state, weights, aggregate):
        weights, update = tf.nest.flatten(weights), tf.nest.flatten(aggregate["mean"])
        old_slots = [list(s) for s in state["slots"]]
        variables = local_variables.create_like(weights, "weight")
        slots = [local_variables.create_like(s, "slot") for s in old_slots]

        @tf.function(autograph=False)
        def run(weights, old_slots, update, weight, steps, round_number, base_rate):
            local_variables.assign_all(variables, weights)
            for slot, values in zip(slots, old_slots, strict=True):
                local_variables.assign_all(slot, values)
            trained, square = trained_variables(update, weight)
            rate = base_rate * schedule(round_number)
            stepped = step_trained(rule, variables, slots, update, rate, steps, trained)
            advance = tf.reduce_max(stepped)
            new_state = OrderedDict(
                learning_rate=base_rate,
                round=round_number + advance,
                steps=steps + stepped,
                slots=tuple(tuple(v.read_value() for v in slot) for slot in slots),
            )
            measurements = OrderedDict(
                update_non_finite=1 - tf.cast(tf.math.is_finite(square), tf.int32),
                update_norm=tf.sqrt(square),
                learning_rate=rate,
                variables_updated=tf.reduce_sum(stepped),
            )
            return new_state, tuple(v.read_value() for v in variables), measurements

        return run(
            weights,
            old_slots,
            update,
            aggregate["weight"],
            state["steps"],
            state["round"],
            state["learning_rate"],
        )

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
