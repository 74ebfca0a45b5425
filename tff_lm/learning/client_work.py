"""The client's part of a round: local training, as a `tff.learning.templates.ClientWorkProcess`.

McMahan et al. 2017 (arXiv 1602.05629), Algorithm 1, `ClientUpdate`; FedProx and partial training
are hooks of it.
"""

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Sequence

import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.learning import gradient_hooks, local_training, local_variables, metrics
from tff_lm.learning.hyperparameters import hparams_computations
from tff_lm.learning.local_optimizers import FreshState, LocalOptimizer
from tff_lm.learning.schedules import ScheduleOptions, build_schedule
from tff_lm.learning.update_rules import UpdateRule
from tff_lm.learning.weights import BATCHES_TYPE, ModelFn, Partition

# (round int32[], client seed int32[2]) -> bool[number of trained variables]
MaskPolicy = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class ClientOptions:
    """How clients train; shared by every algorithm.

    Attributes:
      learning_rate: Base learning rate, a hyperparameter of the process (`set_hparams`).
      round_schedule: Factor on it by round.
      rule: The optimizer step.
      local: Batches, steps, clipping and weighting.
      proximal_mu: Strength of FedProx' term; 0 leaves it out.
    """

    learning_rate: float
    rule: UpdateRule
    round_schedule: ScheduleOptions = ScheduleOptions()
    local: local_training.LocalOptions = local_training.LocalOptions()
    proximal_mu: float = 0.0


@dataclasses.dataclass(frozen=True)
class Channels:
    """How clients and server exchange what an algorithm needs beside the model and its update.

    Attributes:
      aggregator: Of values with the same kind of weight as the update's.
      build_distributor: Type of a value -> the process that broadcasts it.
    """

    aggregator: tff.aggregators.WeightedAggregationFactory
    build_distributor: Callable[[tff.Type], tff.learning.templates.DistributionProcess]


@dataclasses.dataclass(frozen=True)
class ClientModel:
    """The model as clients see it.

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
        """Makes the model with unassigned variables, in the current graph.

        Returns:
          The local model, and a function that assigns it weights, to be called before its use.
        """
        with local_variables.uninitialized_variables():
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


def _weight_of(row: tf.Tensor, weighting: str, mask: tf.Tensor | None) -> tf.Tensor:
    """float32[], or float32[n] with 0 for the variables outside the mask."""
    sums = dict(zip(metrics.METRIC_NAMES, tf.unstack(row), strict=True))
    weight = {
        "tokens": sums["tokens"],
        "examples": sums["examples"],
        "uniform": tf.minimum(sums["batches"], 1.0),
    }[weighting]
    return weight if mask is None else weight * tf.cast(mask, tf.float32)


def guarded_result(
    update: Sequence[tf.Tensor],
    result: local_training.LocalResult,
    weighting: str,
    mask_fn: local_training.MaskFn | None,
) -> tuple[tff.learning.templates.ClientResult, tf.Tensor]:
    """The update with its weight, and the row of sums with the update's norm in it.

    A client whose update or loss is not finite says so by a weight of NaN, by which the aggregator
    rejects it, and by a row of zeros with `non_finite`.
    """
    square = tf.add_n([2.0 * tf.nn.l2_loss(tensor) for tensor in update])
    finite = tf.math.is_finite(square + tf.reduce_sum(result.row))
    mask = None if mask_fn is None else mask_fn(result.seed)
    weight = _weight_of(result.row, weighting, mask)

    def accepted():
        return tuple(update), weight, result.row + metrics.row_of(update_square=square)

    def rejected():
        zeros = tuple(tf.zeros_like(tensor) for tensor in update)
        return zeros, weight + float("nan"), metrics.row_of(non_finite=1.0)

    update, weight, row = tf.cond(finite, accepted, rejected)
    update_weight = OrderedDict(weight=weight, seed=result.seed)
    return tff.learning.templates.ClientResult(update, update_weight), row


def weight_delta(
    initial: Sequence[tf.Tensor], variables: Sequence[tf.Variable]
) -> tuple[tf.Tensor, ...]:
    """Initial minus final weights: the direction of a gradient."""
    return tuple(w0 - w for w0, w in zip(initial, variables, strict=True))


def work_state(learning_rate: float) -> tff.Computation:
    """`( -> <learning_rate=float32,round=int32>)`: what the clients' work keeps at the server."""

    @tff.tensorflow.computation
    def initial_state():
        return OrderedDict(
            learning_rate=tf.constant(learning_rate, tf.float32), round=tf.constant(0, tf.int32)
        )

    return initial_state


def proximal_hooks(
    options: ClientOptions, variables: Sequence[tf.Variable], initial: Sequence[tf.Tensor]
) -> list[gradient_hooks.GradientHook]:
    """FedProx' term, unless its strength is 0."""
    if not options.proximal_mu:
        return []
    return [gradient_hooks.proximal_term(options.proximal_mu, variables, initial)]


def trained_result(
    local: local_training.LocalModel,
    initial: Sequence[tf.Tensor],
    batches: tf.data.Dataset,
    options: ClientOptions,
    optimizer: LocalOptimizer,
    learning_rate: tf.Tensor,
    hooks: Sequence[gradient_hooks.GradientHook],
    mask_fn: local_training.MaskFn | None,
) -> tuple[tff.learning.templates.ClientResult, tf.Tensor]:
    """Trains `local`, which holds `initial`, and returns the change as `guarded_result` does."""
    hook = gradient_hooks.compose(hooks)
    result = local_training.train(
        local, batches, options.local, optimizer, learning_rate, hook, mask_fn
    )
    delta = weight_delta(initial, local.variables)
    return guarded_result(delta, result, options.local.weighting, mask_fn)


def build_client_update(
    client_model: ClientModel, options: ClientOptions, state_type: tff.Type
) -> tff.Computation:
    """`(<S,ModelWeights,{x,y,seed}*> -> <ClientResult,float32[K]>)`, one client's training."""
    schedule = build_schedule(options.round_schedule)
    weights_type = client_model.partition.weights_type()

    @tff.tensorflow.computation(state_type, weights_type, BATCHES_TYPE)
    def client_update(state, weights, batches):
        local, bind = client_model.build_local()
        optimizer = FreshState(options.rule, local.variables)

        @tf.function(autograph=False)
        def run(state, weights, batches):
            bind(weights)
            initial = list(weights.trainable)
            hooks = proximal_hooks(options, local.variables, initial)
            mask_fn = client_model.mask_fn(state["round"])
            rate = state["learning_rate"] * schedule(state["round"])
            return trained_result(local, initial, batches, options, optimizer, rate, hooks, mask_fn)

        return run(state, weights, batches)

    return client_update


def build_client_work(
    client_model: ClientModel, options: ClientOptions, channels: Channels | None = None
) -> tff.learning.templates.ClientWorkProcess:
    """Local training with an optimizer of the client's own.

    `next: (<S@SERVER,ModelWeights@CLIENTS,{{x,y,seed}*}@CLIENTS> ->
    <state=S@SERVER,result=ClientResult@CLIENTS,measurements=<per_client=float32[?,K]>@SERVER>)`,
    with `ClientResult(update=<float32[...],...>, update_weight=<weight=float32[] or
    float32[n],seed=int32[2]>)`; the weight is a vector, one value per trained variable, if there is
    a mask policy. Nothing travels beside model and update, so `channels` is not used.
    """
    del channels
    initial_state = work_state(options.learning_rate)
    state_type = initial_state.type_signature.result
    client_update = build_client_update(client_model, options, state_type)

    @tff.tensorflow.computation(state_type)
    def next_round(state):
        return OrderedDict(learning_rate=state["learning_rate"], round=state["round"] + 1)

    @tff.federated_computation
    def init_fn():
        return tff.federated_eval(initial_state, tff.SERVER)

    @tff.federated_computation(
        init_fn.type_signature.result,
        tff.FederatedType(client_model.partition.weights_type(), tff.CLIENTS),
        tff.FederatedType(BATCHES_TYPE, tff.CLIENTS),
    )
    def next_fn(state, weights, batches):
        result, rows = tff.federated_map(
            client_update, (tff.federated_broadcast(state), weights, batches)
        )
        measurements = tff.federated_zip(OrderedDict(per_client=metrics.aggregate_rows(rows)))
        return tff.templates.MeasuredProcessOutput(
            tff.federated_map(next_round, state), result, measurements
        )

    get_hparams, set_hparams = hparams_computations(state_type, ["learning_rate"])
    return tff.learning.templates.ClientWorkProcess(
        init_fn, next_fn, get_hparams_fn=get_hparams, set_hparams_fn=set_hparams
    )
