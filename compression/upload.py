"""What one client uploads, and how a server adds it up: pure TensorFlow, traced by `aggregation`.

A client's upload is an OrderedDict of
  payloads: list of V payloads (one a variable; an unsent one is empty or ignored),
  weights: float32[V], zero for a variable that is not sent,
  seed: int32[2], which both ends of a real round derive and nobody sends,
  bits: int64[V], the measured size of each payload sent,
  nonfinite: int32[], 1 for a client that is rejected (then all weights are 0),
  error: float32[2], (sum ||decoded - x||^2, sum ||x||^2) over what was sent,
  measured: for each client transform <clients=int32[], sums=its scalars>.

A client is judged here and nowhere else. It is rejected as a whole if a payload that it would send
is not valid (a NaN or an infinity in its update, or a number that its codec cannot carry), or if a
weight is negative or not finite: by a weight of NaN, a client says itself that its training failed.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from typing import TypeVar

import tensorflow as tf

from compression import randomness
from compression.codec import Payload
from compression.parts import ClientTransform, Rule, State
from compression.variables import CodedVariable

Structure = TypeVar("Structure")

_TRANSFORM_STREAM = 0x7A45F0  # keeps a transform's noise apart from that of the variables

# Odd constants whose products spread over all bits (those of xxHash, as int32).
_ODD = (-1640531535, -2048144777, -1028477379)


def encode_update(
    variables: Sequence[CodedVariable],
    transforms: Sequence[ClientTransform],
    states: Sequence[State],
    values: Sequence[tf.Tensor],
    weights: tf.Tensor,
    seed: tf.Tensor,
    measure_error: bool,
) -> collections.OrderedDict:
    """One client's `values` with `weights` (float32[V]), transformed and then encoded.

    All noise follows from `seed` (int32[2]); `states` are those of the transforms. The error is
    that of the codec alone.
    """
    valid = [_are_weights(weights)]
    values, weights, measured = _transform(transforms, states, values, weights, seed)
    if transforms:
        valid.append(_are_weights(weights))
    payloads, bits, errors = [], [], []
    for index, (variable, value) in enumerate(zip(variables, values, strict=True)):
        variable_seed = randomness.fold_in(seed, index)
        sent = weights[index] > 0.0
        payload = _encode_if(sent, variable, value, variable_seed)
        payloads.append(payload)
        bits.append(tf.where(sent, variable.codec.payload_bits(payload), 0))
        valid.append(tf.logical_or(~sent, variable.codec.is_valid(payload)))
        if measure_error:
            errors.append(_squared_error_if(sent, variable, value, payload, variable_seed))
    finite = tf.reduce_all(tf.stack(valid))
    return collections.OrderedDict(
        payloads=payloads,
        weights=tf.where(finite, weights, 0.0),
        seed=seed,
        bits=tf.where(finite, tf.stack(bits), 0),
        nonfinite=tf.cast(~finite, tf.int32),
        error=tf.where(finite, tf.add_n(errors) if errors else tf.zeros([2]), 0.0),
        measured=_where(finite, measured),
    )


def zero_total(
    variables: Sequence[CodedVariable], rule: Rule, measured: Sequence[collections.OrderedDict]
) -> collections.OrderedDict:
    """The total of no client; `measured` are zeros in the form of an upload's."""
    return collections.OrderedDict(
        combined=rule.zero(variables),
        bits=tf.zeros([len(variables)], tf.int64),
        nonfinite=tf.constant(0),
        error=tf.zeros([2]),
        clients=tf.constant(0),
        measured=measured,
    )


def accumulate(
    variables: Sequence[CodedVariable],
    rule: Rule,
    total: collections.OrderedDict,
    upload: collections.OrderedDict,
) -> collections.OrderedDict:
    """`total` with one client's `upload`, which is decoded where it has a weight."""

    def decoder(index: int, variable: CodedVariable, payload: Payload) -> Callable[[], tf.Tensor]:
        return lambda: variable.decode(payload, randomness.fold_in(upload["seed"], index))

    values = [
        decoder(index, variable, payload)
        for index, (variable, payload) in enumerate(zip(variables, upload["payloads"], strict=True))
    ]
    taken = tf.cast(tf.reduce_any(upload["weights"] > 0.0), tf.int32)
    return collections.OrderedDict(
        combined=rule.accumulate(total["combined"], values, upload["weights"]),
        bits=total["bits"] + upload["bits"],
        nonfinite=total["nonfinite"] + upload["nonfinite"],
        error=total["error"] + upload["error"],
        clients=total["clients"] + taken,
        measured=tf.nest.map_structure(tf.add, total["measured"], upload["measured"]),
    )


def merge(
    rule: Rule, first: collections.OrderedDict, second: collections.OrderedDict
) -> collections.OrderedDict:
    """The total of both halves of a cohort."""
    return collections.OrderedDict(
        (
            name,
            rule.merge(first[name], second[name])
            if name == "combined"
            else tf.nest.map_structure(tf.add, first[name], second[name]),
        )
        for name in first
    )


def content_seed(values: Sequence[tf.Tensor], seed: int, round_number: tf.Tensor) -> tf.Tensor:
    """int32[2] seed hashed from a client's own values, for callers that give no client seed.

    Clients with equal values share their noise; two that differ in any value, its sign or its place
    do so by a chance of one in 2^32.
    """
    flat = tf.concat([tf.reshape(tf.cast(value, tf.float32), [-1]) for value in values], 0)
    words = tf.bitcast(flat, tf.int32)
    # A bare sum of bits loses places, and the signs of an even number of values.
    mixed = _mixed(words * _ODD[0] + tf.range(tf.size(words)) * _ODD[1])
    return randomness.fold_in(
        tf.stack([seed, round_number]), tf.reduce_sum(_mixed(mixed * _ODD[2]))
    )


def _mixed(words: tf.Tensor) -> tf.Tensor:
    """int32[n] with the upper bits of each word on its lower ones."""
    shifted = tf.bitwise.right_shift(tf.bitcast(words, tf.uint32), tf.constant(15, tf.uint32))
    return tf.bitwise.bitwise_xor(words, tf.bitcast(shifted, tf.int32))


def _are_weights(weights: tf.Tensor) -> tf.Tensor:
    return tf.reduce_all(tf.math.is_finite(weights) & (weights >= 0.0))


def _transform(
    transforms: Sequence[ClientTransform],
    states: Sequence[State],
    values: Sequence[tf.Tensor],
    weights: tf.Tensor,
    seed: tf.Tensor,
) -> tuple[Sequence[tf.Tensor], tf.Tensor, tuple[collections.OrderedDict, ...]]:
    """One transform after the other; a client that comes with nothing is not measured."""
    stream = randomness.fold_in(seed, _TRANSFORM_STREAM)
    measured = []
    for index, (transform, state) in enumerate(zip(transforms, states, strict=True)):
        comes = tf.reduce_any(weights > 0.0)
        own_seed = randomness.fold_in(stream, index)
        values, weights, sums = transform.apply(values, weights, state, own_seed)
        of_one = collections.OrderedDict(clients=tf.constant(1), sums=sums)
        measured.append(_where(comes, of_one))
    return values, weights, tuple(measured)


def _where(condition: tf.Tensor, structure: Structure) -> Structure:
    """The scalars of a structure, or zeros."""
    return tf.nest.map_structure(
        lambda value: tf.where(condition, value, tf.zeros_like(value)), structure
    )


def _encode_if(
    sent: tf.Tensor, variable: CodedVariable, value: tf.Tensor, seed: tf.Tensor
) -> Payload:
    if variable.codec.is_lossless:  # the payload is the value: nothing to save
        return variable.encode(value, seed)
    return tf.cond(sent, lambda: variable.encode(value, seed), variable.empty_payload)


def _squared_error_if(
    sent: tf.Tensor, variable: CodedVariable, value: tf.Tensor, payload: Payload, seed: tf.Tensor
) -> tf.Tensor:
    """float32[2] of ||decoded - value||^2 and ||value||^2, or zeros for a variable not sent."""

    def measure():
        value32 = tf.cast(value, tf.float32)
        norm = tf.reduce_sum(tf.square(value32))
        if variable.codec.is_lossless:
            return tf.stack([0.0, norm])
        difference = variable.decode(payload, seed) - value32
        return tf.stack([tf.reduce_sum(tf.square(difference)), norm])

    return tf.cond(sent, measure, lambda: tf.zeros([2]))
