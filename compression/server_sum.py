"""What the server makes of the total of a round: pure TensorFlow, traced by `aggregation`."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from compression import randomness
from compression.parts import ClientTransform, Measurements, Rule, SumTransform, Total
from compression.variables import CodedVariable

_SUM_STREAM = 0x5C3D  # keeps noise on sums apart from other uses of (seed, round)


@dataclasses.dataclass(frozen=True)
class Parts:
    """What an aggregator is made of beside its codec.

    Raises:
      TypeError: If a part is not of its kind.
    """

    client_transforms: tuple[ClientTransform, ...]
    rule: Rule
    sum_transforms: tuple[SumTransform, ...]

    def __post_init__(self) -> None:
        for kind, contract, parts in (
            ("client transform", ClientTransform, self.client_transforms),
            ("rule", Rule, (self.rule,)),
            ("sum transform", SumTransform, self.sum_transforms),
        ):
            for part in parts:
                if not isinstance(part, contract):
                    raise TypeError(f"{part!r} is no {kind}: it must be a {contract.__name__}.")


def initial_state(parts: Parts, variables: Sequence[CodedVariable]) -> collections.OrderedDict:
    """`<round=int32, client_transforms=<...>, sum_transforms=<...>>`: what the parts keep."""
    return collections.OrderedDict(
        round=tf.constant(0),
        client_transforms=tuple(part.initial_state(variables) for part in parts.client_transforms),
        sum_transforms=tuple(part.initial_state(variables) for part in parts.sum_transforms),
    )


def report(rule: Rule, total: Total) -> collections.OrderedDict:
    """The total, with <sums, weights> in place of what the rule kept."""
    sums, weights = rule.sums_and_weights(total["combined"])
    counts = {name: value for name, value in total.items() if name != "combined"}
    return collections.OrderedDict(sums=sums, weights=weights, **counts)


def finish(
    parts: Parts,
    seed: int,
    state: collections.OrderedDict,
    reported: collections.OrderedDict,
    measure_error: bool,
) -> tuple[collections.OrderedDict, list[tf.Tensor], tf.Tensor, Measurements]:
    """The next state, V means, float32[V] weights, and the measurements of a round."""
    measurements = _measurements(reported, measure_error)
    client_states = []
    for transform, own, measured in zip(
        parts.client_transforms, state["client_transforms"], reported["measured"], strict=True
    ):
        sums_of, clients = measured["sums"], measured["clients"]
        _add(measurements, transform.report(own, sums_of, clients))
        client_states.append(transform.next_state(own, sums_of, clients))
    sums: Sequence[tf.Tensor] = reported["sums"]
    weights, sum_states = reported["weights"], []
    stream = randomness.fold_in(tf.stack([seed, state["round"]]), _SUM_STREAM)
    for index, (part, own) in enumerate(
        zip(parts.sum_transforms, state["sum_transforms"], strict=True)
    ):
        own_seed = randomness.fold_in(stream, index)
        sums, weights, own_next, more = part.apply(sums, weights, own, own_seed)
        _add(measurements, more)
        sum_states.append(own_next)
    next_state = collections.OrderedDict(
        round=state["round"] + 1,
        client_transforms=tuple(client_states),
        sum_transforms=tuple(sum_states),
    )
    return next_state, _means(sums, weights), weights, measurements


def _measurements(reported: collections.OrderedDict, measure_error: bool) -> Measurements:
    measurements = collections.OrderedDict(
        upload_bits=tf.reduce_sum(reported["bits"]),
        upload_bits_per_variable=reported["bits"],
        nonfinite_clients=reported["nonfinite"],
        clients=reported["clients"],
    )
    if measure_error:
        measurements["relative_squared_error"] = tf.math.divide_no_nan(
            reported["error"][0], reported["error"][1]
        )
    return measurements


def _add(measurements: Measurements, more: Measurements) -> None:
    """Adds measurements; the second of a name is called name_2."""
    for name, value in more.items():
        number, free = 1, name
        while free in measurements:
            number += 1
            free = f"{name}_{number}"
        measurements[free] = value


def _means(sums: Sequence[tf.Tensor], weights: tf.Tensor) -> list[tf.Tensor]:
    """The sums divided by their weights; zero for a variable that nobody sent."""
    return [
        tf.math.divide_no_nan(summed, tf.cast(weight, summed.dtype))
        for summed, weight in zip(sums, tf.unstack(weights), strict=True)
    ]
