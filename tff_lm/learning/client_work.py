"""The clients' part of a round as a `tff.learning.templates.ClientWorkProcess`, for any algorithm.

What an algorithm's clients keep between rounds comes and goes as `kept` says.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.learning import kept, metrics
from tff_lm.learning.algorithms.algorithm import Algorithm, Mean, Shared
from tff_lm.learning.client import Client, Upload
from tff_lm.learning.client_model import ClientModel
from tff_lm.learning.hyperparameters import hparams_computations
from tff_lm.learning.schedules import build_schedule
from tff_lm.learning.server import accepted_weights

# Clients are finite one by one; the sum of what they upload may not be.
_LOST = "shared_non_finite"


@dataclasses.dataclass(frozen=True)
class Channels:
    """How clients and server exchange what an algorithm needs beside the model and its update.

    Attributes:
      aggregator: Of values with the same kind of weight as the update's.
      build_distributor: Type of a value -> the process that broadcasts it.
    """

    aggregator: tff.aggregators.WeightedAggregationFactory
    build_distributor: Callable[[tff.Type], tff.learning.templates.DistributionProcess]


def build_client_work(
    algorithm: Algorithm, client_model: ClientModel, channels: Channels
) -> tff.learning.templates.ClientWorkProcess:
    """Wires `algorithm.client_step` and `algorithm.next_shared`.

    `next: (<S@SERVER,ModelWeights@CLIENTS,D@CLIENTS> ->
    <state=S@SERVER,result=ClientResult@CLIENTS,measurements=M@SERVER>)`, with
    `D = {x,y,seed}*`, or `<batches={x,y,seed}*,kept={K}*>` of one element K if clients keep
    something; `ClientResult(update=<float32[...],...>, update_weight=<weight=float32[] or
    float32[n],seed=int32[2]>)`, the weight a vector if there is a mask policy; and
    `M = <per_client=float32[?,K]>`, with `shared_distributor` and `shared_aggregator` (what
    `channels` measure) if something coded is shared and something is uploaded beside the update,
    `shared_non_finite=int32`, 1 if the mean of that upload is not finite, and `kept=int32`, the
    clients that kept something.
    """
    initial = _initial_state(algorithm)
    server_type = initial.type_signature.result
    data_type = kept.data_type(algorithm)
    client_update = _client_update(algorithm, client_model, server_type, data_type)
    report_type = client_update.type_signature.result
    distributor = aggregator = None
    if "coded" in _names(server_type):
        distributor = channels.build_distributor(server_type["coded"])
    if "upload" in _names(report_type):
        upload_type = report_type["upload"]
        aggregator = channels.aggregator.create(upload_type.update, upload_type.update_weight)
    advance = _advance(algorithm, server_type, aggregator)

    @tff.federated_computation
    def init_fn():
        state = _fields(tff.federated_eval(initial, tff.SERVER), _names(server_type))
        if distributor:
            state["distributor"] = distributor.initialize()
        if aggregator:
            state["aggregator"] = aggregator.initialize()
        return tff.federated_zip(state)

    @tff.federated_computation(
        init_fn.type_signature.result,
        tff.FederatedType(client_model.partition.weights_type(), tff.CLIENTS),
        tff.FederatedType(data_type, tff.CLIENTS),
    )
    def next_fn(state, weights, data):
        measurements, new_state = OrderedDict(), OrderedDict()
        server = tff.federated_zip(_fields(state, _names(server_type)))
        exact = tff.federated_zip(_fields(state, _exact_names(server_type)))
        given = OrderedDict(server=tff.federated_broadcast(exact), weights=weights, data=data)
        if distributor:
            output = distributor.next(state["distributor"], state["coded"])
            given["coded"], new_state["distributor"] = output.result, output.state
            measurements["shared_distributor"] = output.measurements
        report = tff.federated_map(client_update, given)
        arrived = OrderedDict(server=server)
        if aggregator:
            upload = report["upload"]
            output = aggregator.next(state["aggregator"], upload.update, upload.update_weight)
            arrived["mean"], new_state["aggregator"] = output.result, output.state
            measurements["shared_aggregator"] = output.measurements
        if "kept" in _names(report_type):
            measurements["kept"] = kept.leave_with_clients(report["kept"])
        measurements["per_client"] = metrics.aggregate_rows(report["row"])
        new_server = tff.federated_map(advance, arrived)
        if aggregator:
            measurements[_LOST] = new_server[_LOST]
        return tff.templates.MeasuredProcessOutput(
            tff.federated_zip(_fields(new_server, _names(server_type)) | new_state),
            report["update"],
            tff.federated_zip(measurements),
        )

    get_hparams, set_hparams = hparams_computations(
        init_fn.type_signature.result.member, ["learning_rate"]
    )
    return tff.learning.templates.ClientWorkProcess(
        init_fn, next_fn, get_hparams_fn=get_hparams, set_hparams_fn=set_hparams
    )


def _initial_state(algorithm: Algorithm) -> tff.Computation:
    """`( -> S)`: scalars, and what is shared, `exact` and `coded`, where there is something."""

    @tff.tensorflow.computation
    def initial_state():
        rate = algorithm.options.algorithm.client_learning_rate
        return OrderedDict(
            learning_rate=tf.constant(rate, tf.float32),
            round=tf.constant(0, tf.int32),
            current_pass=tf.constant(0, tf.int32),
            **_parts(algorithm.initial_shared()),
        )

    return initial_state


def _client_update(
    algorithm: Algorithm, client_model: ClientModel, server_type: tff.Type, data_type: tff.Type
) -> tff.Computation:
    """`(<server,weights,data,coded> -> <update,row,upload,kept>)`, at one client."""
    schedule = build_schedule(algorithm.options.client_schedule)
    given_type = OrderedDict(
        server=tff.to_type(OrderedDict(_fields(server_type, _exact_names(server_type)))),
        weights=client_model.partition.weights_type(),
        data=data_type,
    )
    if "coded" in _names(server_type):
        given_type["coded"] = server_type["coded"]

    @tff.tensorflow.computation(tff.to_type(given_type))
    def client_update(given):
        @tf.function(autograph=False)
        def run(given):
            server, data = given["server"], given["data"]
            keeps = isinstance(data, Mapping)
            client = Client(
                client_model,
                algorithm.options,
                given["weights"],
                data["batches"] if keeps else data,
                learning_rate=server["learning_rate"] * schedule(server["round"]),
                round_number=server["round"],
                current_pass=server["current_pass"],
            )
            shared = _shared(algorithm, given.get("coded"), server.get("exact"))
            own = data["kept"].get_single_element() if keeps else ()
            report = algorithm.client_step(client, shared, own)
            result = OrderedDict(update=_client_result(report.update), row=report.row)
            if report.upload:
                result["upload"] = _client_result(report.upload)
            if keeps:
                result["kept"] = report.kept
            return result

        return run(given)

    return client_update


def _client_result(upload: Upload) -> tff.learning.templates.ClientResult:
    return tff.learning.templates.ClientResult(
        upload.values, OrderedDict(weight=upload.weight, seed=upload.seed)
    )


def _advance(
    algorithm: Algorithm,
    server_type: tff.Type,
    aggregator: tff.templates.AggregationProcess | None,
) -> tff.Computation:
    """`(<server=S,mean=<mean,weight>> -> S)`: the end of a pass at the server.

    With a mean, `shared_non_finite=int32` comes after the fields of S.
    """
    arrived_type = OrderedDict(server=server_type)
    if aggregator:
        arrived_type["mean"] = aggregator.next.type_signature.result.result.member

    @tff.tensorflow.computation(tff.to_type(arrived_type))
    def advance(arrived):
        @tf.function(autograph=False)
        def run(arrived):
            server = arrived["server"]
            current = server["current_pass"]
            shared = _shared(algorithm, server.get("coded"), server.get("exact"))
            measured = {}
            if aggregator:
                mean = Mean(tuple(arrived["mean"]["mean"]), arrived["mean"]["weight"])
                shared = algorithm.next_shared(shared, mean, current)
                _, square = accepted_weights(mean.values, mean.weights)
                measured[_LOST] = 1 - tf.cast(tf.math.is_finite(square), tf.int32)
            is_last = tf.equal(current, algorithm.passes - 1)
            return OrderedDict(
                learning_rate=server["learning_rate"],
                round=server["round"] + tf.cast(is_last, tf.int32),
                current_pass=tf.where(is_last, 0, current + 1),
                **_parts(shared),
                **measured,
            )

        return run(arrived)

    return advance


def _parts(shared: Shared) -> OrderedDict[str, Any]:
    """The parts of `shared` that hold a tensor: TFF has no use for empty structures."""
    return OrderedDict(
        (name, part) for name, part in shared._asdict().items() if tf.nest.flatten(part)
    )


def _shared(algorithm: Algorithm, coded: Any, exact: Any) -> Shared:
    """What `_parts` were taken from; a part without a tensor is as it was in the beginning."""
    initial = algorithm.initial_shared()
    return Shared(
        initial.coded if coded is None else coded, initial.exact if exact is None else exact
    )


def _names(type_: tff.Type) -> list[str]:
    return [name for name, _ in tff.structure.iter_elements(type_)]


def _exact_names(server_type: tff.Type) -> list[str]:
    return [name for name in _names(server_type) if name != "coded"]


def _fields(value: Any, names: Sequence[str]) -> OrderedDict[str, Any]:
    return OrderedDict((name, value[name]) for name in names)
