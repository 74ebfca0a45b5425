"""One function builds every learning process: four parts, put together."""

from collections.abc import Callable

import tensorflow_federated as tff

from compression import make_codec
from compression.aggregation import UpdateAggregator
from compression.broadcast import build_compressed_broadcast
from tff_lm.learning.algorithms import (
    AlgorithmOptions,
    client_options,
    resolve,
    server_rule,
)
from tff_lm.learning.client_work import Channels, ClientModel
from tff_lm.learning.finalizers import build_server_optimizer
from tff_lm.learning.schedules import build_schedule
from tff_lm.learning.weights import build_initial_weights


def build_learning_process(
    client_model: ClientModel,
    options: AlgorithmOptions,
    *,
    aggregator: tff.aggregators.WeightedAggregationFactory | None = None,
    distributor: tff.learning.templates.DistributionProcess | None = None,
    build_state_distributor: (
        Callable[[tff.Type], tff.learning.templates.DistributionProcess] | None
    ) = None,
) -> tff.learning.templates.LearningProcess:
    """`next: (<S@SERVER,{{x,y,seed}*}@CLIENTS> -> <state=S@SERVER,metrics=M@SERVER>)`.

    Args:
      client_model: The model, which variables are trained, and by whom.
      options: The algorithm.
      aggregator: Of updates weighted by `<weight=float32[] or float32[n],seed=int32[2]>`; their
        uncompressed mean if None.
      distributor: Of the model's weights (`client_model.partition.weights_type()`); a plain
        broadcast if None.
      build_state_distributor: Of what Mime's clients download beside the model; uncompressed if
        None.

    Returns:
      The process; `M` is
      `<distributor,client_work=<per_client=float32[?,K]>,aggregator,finalizer>`.

    Raises:
      ValueError: If an option is unknown or out of range.
    """
    algorithm = resolve(options)
    weights_type = client_model.partition.weights_type()
    initial_weights = build_initial_weights(client_model.model_fn, client_model.partition)
    aggregator = aggregator or UpdateAggregator(make_codec("identity"))
    channels = Channels(aggregator, build_state_distributor or _uncompressed)
    client_work = algorithm.client_work(client_model, client_options(options, algorithm), channels)
    result_type = client_work.next.type_signature.result.result.member
    aggregation = aggregator.create(result_type.update, result_type.update_weight)
    finalizer = build_server_optimizer(
        server_rule(options, algorithm),
        algorithm.server_learning_rate,
        build_schedule(options.server_schedule),
        weights_type,
    )
    return tff.learning.templates.compose_learning_process(
        initial_weights,
        distributor or tff.learning.templates.build_broadcast_process(weights_type),
        client_work,
        aggregation,
        finalizer,
    )


def _uncompressed(value_type: tff.Type) -> tff.learning.templates.DistributionProcess:
    return build_compressed_broadcast(value_type, make_codec("identity"))
