"""One function builds every learning process: four parts, put together."""

from collections.abc import Callable

import tensorflow_federated as tff

from compression import make_codec
from compression.aggregation import UpdateAggregator
from compression.broadcast import build_compressed_broadcast
from tff_lm.learning.algorithms.algorithm import Algorithm
from tff_lm.learning.averaging import build_average, with_average
from tff_lm.learning.client_model import ClientModel
from tff_lm.learning.client_work import Channels, build_client_work
from tff_lm.learning.finalizers import build_finalizer
from tff_lm.learning.options import LearningOptions
from tff_lm.learning.registry import ALGORITHMS
from tff_lm.learning.weights import build_initial_weights


def build_algorithm(client_model: ClientModel, options: LearningOptions) -> Algorithm:
    """The algorithm that the options name, for the variables that are trained.

    Raises:
      ValueError: If an option is unknown or out of range.
    """
    algorithm: Algorithm = ALGORITHMS[options.algorithm.name](
        options, client_model.partition.trained_variables
    )
    return algorithm


def build_learning_process(
    client_model: ClientModel,
    algorithm: Algorithm,
    *,
    aggregator: tff.aggregators.WeightedAggregationFactory | None = None,
    shared_aggregator: tff.aggregators.WeightedAggregationFactory | None = None,
    distributor: tff.learning.templates.DistributionProcess | None = None,
    build_state_distributor: (
        Callable[[tff.Type], tff.learning.templates.DistributionProcess] | None
    ) = None,
) -> tff.learning.templates.LearningProcess:
    """`next: (<S@SERVER,D@CLIENTS> -> <state=S@SERVER,metrics=M@SERVER>)`.

    `D` is `{x,y,seed}*`, or `<batches={x,y,seed}*,kept={K}*>` where clients keep something between
    rounds; see `client_work`.

    Args:
      client_model: The model, which variables are trained, and by whom.
      algorithm: What clients and server compute (`build_algorithm`).
      aggregator: Of updates weighted by `<weight=float32[] or float32[n],seed=int32[2]>`, with the
        result `<mean,weight=float32[n]>`; their uncompressed mean if None.
      shared_aggregator: Of what is uploaded beside the updates, likewise; by default as theirs.
      distributor: Of the model's weights (`client_model.partition.weights_type()`); a plain
        broadcast if None.
      build_state_distributor: Of what clients download beside the model; uncompressed if None.

    Returns:
      The process; `M` is
      `<distributor,client_work=<per_client=float32[?,K]>,aggregator,finalizer>`.

    Raises:
      ValueError: If an option is unknown or out of range.
    """
    weights_type = client_model.partition.weights_type()
    initial_weights = build_initial_weights(client_model.model_fn, client_model.partition)
    aggregator = aggregator or UpdateAggregator(make_codec("identity"))
    channels = Channels(shared_aggregator or aggregator, build_state_distributor or _uncompressed)
    client_work = build_client_work(algorithm, client_model, channels)
    result_type = client_work.next.type_signature.result.result.member
    aggregation = aggregator.create(result_type.update, result_type.update_weight)
    finalizer = build_finalizer(algorithm, weights_type)
    if average := build_average(algorithm.options.algorithm.averaging):
        finalizer = with_average(finalizer, average, initial_weights)
    return tff.learning.templates.compose_learning_process(
        initial_weights,
        distributor or tff.learning.templates.build_broadcast_process(weights_type),
        client_work,
        aggregation,
        finalizer,
    )


def _uncompressed(value_type: tff.Type) -> tff.learning.templates.DistributionProcess:
    return build_compressed_broadcast(value_type, make_codec("identity"))
