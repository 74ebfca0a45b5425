"""Mime, MimeLite and SCAFFOLD: what clients upload beside their updates steers their training.

In Mime and MimeLite, clients apply the server's optimizer state, which only the server changes.
Karimireddy et al. 2020, "Mime: Mimicking Centralized Stochastic Algorithms in Federated Learning"
(arXiv 2008.03606), Algorithm 1. Beside its update, each client uploads the full gradient of its
loss at the round's initial weights w0; the server steps the base optimizer's state with their mean
c.

MimeLite does both in one pass. Mime also corrects each local gradient, g(w) - g(w0) + c, and needs
c before training starts. Its round therefore takes two calls of `next` on the *same* cohort
(`Algorithm.passes`): the first collects gradients and leaves the model as it is, the second trains.
Each call has independent aggregations only, so any of our runtimes executes it, and each is one
exchange of messages, as in the paper. The model travels, and is counted, in both.

SCAFFOLD (Karimireddy et al. 2020, arXiv 1910.06378, Algorithm 1) corrects SGD by g(w) - c_i + c,
where each client i keeps its variate c_i from the last round that it took part in. Here clients
keep nothing. What is sound without memory is the paper's option I, c_i = the client's full gradient
at w0, taken anew in each round; c is then its mean over the cohort, which weighs as the updates do,
so that the corrections of a cohort add up to zero. It is the paper's method with variates that are
never stale, at the price of the first pass. Option II, c_i from the last update, cannot do without
memory. Next to Mime with SGD, it costs a client one more pass over its data instead of a second
gradient in each step, and leaves the noise of the batches, which cancels in g(w) - g(w0).
"""

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.learning import local_training, local_variables, metrics
from tff_lm.learning.client_work import (
    Channels,
    ClientModel,
    ClientOptions,
    guarded_result,
    proximal_hooks,
    trained_result,
)
from tff_lm.learning.corrections import BatchVariates, ClientVariates, Correction, Start
from tff_lm.learning.hyperparameters import hparams_computations
from tff_lm.learning.local_optimizers import FixedState
from tff_lm.learning.schedules import build_schedule
from tff_lm.learning.server_state import slot_values, step_trained, trained_variables
from tff_lm.learning.weights import BATCHES_TYPE

_GRADIENT_PASS, _TRAINING_PASS = 0, 1
_SCALARS = ("learning_rate", "round", "current_pass", "steps")
_Guarded = tuple[tff.learning.templates.ClientResult, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class _Passes:
    """What a call of `next` does: without a correction everything, else one thing after the other.

    Attributes:
      correction: Of the gradients of the training pass.
    """

    correction: type[Correction] | None

    @property
    def alternate(self) -> bool:
        """Whether gradients are collected in a pass of their own."""
        return self.correction is not None

    def run(
        self, current: tf.Tensor, collect: Callable[[], _Guarded], train: Callable[[], _Guarded]
    ) -> tuple[tff.learning.templates.ClientResult, tff.learning.templates.ClientResult, tf.Tensor]:
        """Returns the update, the full gradient, and the row of sums; what is not done weighs 0."""
        if not self.alternate:
            gradient, _ = collect()  # before training: at the initial weights
            update, row = train()
            return update, gradient, row

        def only_collect():
            gradient, row = collect()
            return _nothing(gradient), gradient, row

        def only_train():
            update, row = train()
            return update, _nothing(update), row

        return tf.cond(tf.equal(current, _GRADIENT_PASS), only_collect, only_train)

    def trains(self, current: tf.Tensor) -> tf.Tensor:
        """bool[]."""
        return tf.equal(current, _TRAINING_PASS) if self.alternate else tf.constant(True)

    def following(self, current: tf.Tensor) -> tf.Tensor:
        """int32[]."""
        return 1 - current if self.alternate else current


def _nothing(like: tff.learning.templates.ClientResult) -> tff.learning.templates.ClientResult:
    return tf.nest.map_structure(tf.zeros_like, like)


def _initial_state(
    passes: _Passes, client_model: ClientModel, options: ClientOptions
) -> tff.Computation:
    """`( -> S)`: scalars, the weight of `control`, float32[n] or [0], and what clients download.

    That is `shared`: the tensors beside the model.
    """
    trainable_type = client_model.partition.weights_type().trainable

    @tff.tensorflow.computation
    def initial_state():
        control = tuple(tf.zeros(t.shape) for t in trainable_type) if passes.alternate else ()
        return OrderedDict(
            learning_rate=tf.constant(options.learning_rate, tf.float32),
            round=tf.constant(0, tf.int32),
            current_pass=tf.constant(_GRADIENT_PASS, tf.int32),
            steps=tf.zeros([len(trainable_type)], tf.int32),
            control_weight=tf.zeros([len(control)]),
            shared=OrderedDict(slots=slot_values(options.rule, trainable_type), control=control),
        )

    return initial_state


def _without_shared(state_type: tff.Type) -> tff.Type:
    return tff.types.to_type(OrderedDict((name, state_type[name]) for name in _SCALARS))


def _build_client_update(
    passes: _Passes, client_model: ClientModel, options: ClientOptions, state_type: tff.Type
) -> tff.Computation:
    """`(<S,shared,ModelWeights,{x,y,seed}*> -> <update,gradient,float32[K]>)`, at one client."""
    schedule = build_schedule(options.round_schedule)
    weights_type = client_model.partition.weights_type()
    scalars_type = _without_shared(state_type)
    weighting = options.local.weighting

    @tff.tensorflow.computation(scalars_type, state_type["shared"], weights_type, BATCHES_TYPE)
    def client_update(state, shared, weights, batches):
        local, bind = client_model.build_local()
        correction = passes.correction and passes.correction(client_model, local)
        optimizer = FixedState(options.rule, local.variables)

        @tf.function(autograph=False)
        def run(state, slots, control, weights, batches):
            bind(weights)
            initial = list(weights.trainable)
            optimizer.bind(slots, state["steps"])
            mask_fn = client_model.mask_fn(state["round"])

            def collect():
                full = local_training.full_gradient(local, batches, mask_fn)
                return guarded_result(full.gradient, full.result, weighting, mask_fn)

            def train():
                hooks = proximal_hooks(options, local.variables, initial)
                if correction:
                    start = Start(weights, batches, control, mask_fn)
                    hooks.insert(0, correction.hook(start))
                rate = state["learning_rate"] * schedule(state["round"])
                return trained_result(
                    local, initial, batches, options, optimizer, rate, hooks, mask_fn
                )

            return passes.run(state["current_pass"], collect, train)

        slots = [tuple(values) for values in shared["slots"]]
        return run(state, slots, tuple(shared["control"]), weights, batches)

    return client_update


def _build_state_update(
    passes: _Passes, options: ClientOptions, state_type: tff.Type, trainable_type: tff.Type
) -> tff.Computation:
    """`(<S,<mean=G,weight=float32[n]>> -> S)`: the server's step of the base optimizer's state."""
    count = len(trainable_type)
    aggregate_type = tff.to_type(
        OrderedDict(mean=trainable_type, weight=tff.TensorType(np.float32, [count]))
    )

    @tff.tensorflow.computation(state_type, aggregate_type)
    def update_state(state, aggregate):
        mean_gradient = tuple(aggregate["mean"])
        old_slots = [tuple(values) for values in state["shared"]["slots"]]
        # Only the slots matter; the rule wants a variable to step, which is thrown away.
        variables = local_variables.create_like(mean_gradient, "unused")
        slots = [local_variables.create_like(values, "slot") for values in old_slots]

        @tf.function(autograph=False)
        def run(state, old_slots, mean_gradient, weight):
            local_variables.assign_all(variables, [tf.zeros_like(g) for g in mean_gradient])
            for slot, values in zip(slots, old_slots, strict=True):
                local_variables.assign_all(slot, values)
            current, control = state["current_pass"], tuple(state["shared"]["control"])
            control_weight = state["control_weight"]
            gradient = control if passes.alternate else mean_gradient
            trained, _ = trained_variables(gradient, control_weight if passes.alternate else weight)
            stepped = step_trained(
                options.rule,
                variables,
                slots,
                gradient,
                tf.constant(0.0),
                state["steps"],
                passes.trains(current) & trained,
            )
            if passes.alternate:
                collected = tf.logical_not(passes.trains(current)) & _all_finite(mean_gradient)
                control, control_weight = tf.cond(
                    collected, lambda: (mean_gradient, weight), lambda: (control, control_weight)
                )
            return OrderedDict(
                learning_rate=state["learning_rate"],
                round=state["round"] + tf.cast(passes.trains(current), tf.int32),
                current_pass=passes.following(current),
                steps=state["steps"] + stepped,
                control_weight=control_weight,
                shared=OrderedDict(
                    slots=tuple(tuple(v.read_value() for v in slot) for slot in slots),
                    control=control,
                ),
            )

        return run(state, old_slots, mean_gradient, aggregate["weight"])

    return update_state


def _all_finite(tensors: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.math.is_finite(tf.add_n([tf.nn.l2_loss(tensor) for tensor in tensors]))


def _fields(value: tff.Value, names: Sequence[str]) -> list[tuple[str, tff.Value]]:
    return [(name, value[name]) for name in names]


def _build_work(
    client_model: ClientModel, options: ClientOptions, channels: Channels, passes: _Passes
) -> tff.learning.templates.ClientWorkProcess:
    weights_type = client_model.partition.weights_type()
    initial_state = _initial_state(passes, client_model, options)
    state_type = initial_state.type_signature.result
    client_update = _build_client_update(passes, client_model, options, state_type)
    update_state = _build_state_update(passes, options, state_type, weights_type.trainable)
    gradient_type = client_update.type_signature.result[1]
    aggregator = channels.aggregator.create(gradient_type.update, gradient_type.update_weight)
    distributor = channels.build_distributor(state_type["shared"])
    names = (*_SCALARS, "control_weight", "shared")

    @tff.federated_computation
    def init_fn():
        state = tff.federated_eval(initial_state, tff.SERVER)
        return tff.federated_zip(
            OrderedDict(
                [
                    *_fields(state, names),
                    ("aggregator", aggregator.initialize()),
                    ("distributor", distributor.initialize()),
                ]
            )
        )

    @tff.federated_computation(
        init_fn.type_signature.result,
        tff.FederatedType(weights_type, tff.CLIENTS),
        tff.FederatedType(BATCHES_TYPE, tff.CLIENTS),
    )
    def next_fn(state, weights, batches):
        scalars = tff.federated_zip(OrderedDict(_fields(state, _SCALARS)))
        shared = distributor.next(state["distributor"], state["shared"])
        update, gradient, rows = tff.federated_map(
            client_update, (tff.federated_broadcast(scalars), shared.result, weights, batches)
        )
        mean = aggregator.next(state["aggregator"], gradient.update, gradient.update_weight)
        kept = tff.federated_zip(OrderedDict(_fields(state, names)))
        new_state = tff.federated_map(update_state, (kept, mean.result))
        measurements = OrderedDict(
            per_client=metrics.aggregate_rows(rows),
            gradient_aggregator=mean.measurements,
            state_distributor=shared.measurements,
        )
        return tff.templates.MeasuredProcessOutput(
            tff.federated_zip(
                OrderedDict(
                    [
                        *_fields(new_state, names),
                        ("aggregator", mean.state),
                        ("distributor", shared.state),
                    ]
                )
            ),
            update,
            tff.federated_zip(measurements),
        )

    get_hparams, set_hparams = hparams_computations(
        init_fn.type_signature.result.member, ["learning_rate"]
    )
    return tff.learning.templates.ClientWorkProcess(
        init_fn, next_fn, get_hparams_fn=get_hparams, set_hparams_fn=set_hparams
    )


def build_mime_lite_work(
    client_model: ClientModel, options: ClientOptions, channels: Channels
) -> tff.learning.templates.ClientWorkProcess:
    """MimeLite: equal to `tff.learning.algorithms.build_weighted_mime_lite`.

    `next: (<S@SERVER,ModelWeights@CLIENTS,{{x,y,seed}*}@CLIENTS> -> <state=S@SERVER,
    result=ClientResult@CLIENTS,measurements=<per_client=float32[?,K],gradient_aggregator=M1,
    state_distributor=M2>@SERVER>)`; the last two are what `channels` measure.
    """
    return _build_work(client_model, options, channels, _Passes(correction=None))


def build_mime_work(
    client_model: ClientModel, options: ClientOptions, channels: Channels
) -> tff.learning.templates.ClientWorkProcess:
    """Mime with control variates, typed as MimeLite; see the module about its two passes."""
    return _build_work(client_model, options, channels, _Passes(BatchVariates))


def build_scaffold_work(
    client_model: ClientModel, options: ClientOptions, channels: Channels
) -> tff.learning.templates.ClientWorkProcess:
    """SCAFFOLD without client memory, typed as MimeLite; see the module about its variates.

    Raises:
      ValueError: If the client optimizer keeps state.
    """
    if options.rule.slots:
        raise ValueError(
            "algorithm 'scaffold' needs client_optimizer 'sgd'; for others, use 'mime'"
        )
    return _build_work(client_model, options, channels, _Passes(ClientVariates))
