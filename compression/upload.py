"""What one client uploads, and how a server adds it up: pure TensorFlow, traced by `aggregation`.

A client's upload is an OrderedDict of
  payloads: list of V payloads (one a variable; an unsent one is empty or ignored),
  weights: float32[V], zero for a variable that is not sent,
  seed: int32[2], which both ends of a real round derive and nobody sends,
  bits: int64[V], the measured size of each payload sent,
  nonfinite: int32[], 1 for a client whose update holds NaN or infinities (then all weights are 0),
  error: float32[2], (sum ||decoded - x||^2, sum ||x||^2) over what was sent.
"""

from __future__ import annotations

import collections
from collections.abc import Sequence

import tensorflow as tf

from compression import randomness
from compression.codec import Payload
from compression.variables import CodedVariable


def encode_update(
    variables: Sequence[CodedVariable],
    values: Sequence[tf.Tensor],
    weights: tf.Tensor,
    seed: tf.Tensor,
    measure_error: bool,
) -> collections.OrderedDict:
    """Encodes one client's `values` with `weights` (float32[V]) and noise of `seed` (int32[2])."""
    payloads, bits, valid, errors = [], [], [], []
    for index, (variable, value) in enumerate(zip(variables, values, strict=True)):
        variable_seed = randomness.fold_in(seed, index)
        sent = weights[index] > 0.0
        payload = _encode_if(sent, variable, value, variable_seed)
        payloads.append(payload)
        bits.append(tf.where(sent, variable.codec.payload_bits(payload), 0))
        valid.append(tf.logical_or(~sent, variable.codec.is_valid(payload)))
        if measure_error:
            errors.append(_squared_error_if(sent, variable, value, payload, variable_seed))
    weights_valid = tf.reduce_all(tf.math.is_finite(weights) & (weights >= 0.0))
    finite = tf.reduce_all(tf.stack(valid)) & weights_valid
    return collections.OrderedDict(
        payloads=payloads,
        weights=tf.where(finite, weights, 0.0),
        seed=seed,
        bits=tf.where(finite, tf.stack(bits), 0),
        nonfinite=tf.cast(~finite, tf.int32),
        error=tf.where(finite, tf.add_n(errors) if errors else tf.zeros([2]), 0.0),
    )


def zero_total(variables: Sequence[CodedVariable]) -> collections.OrderedDict:
    """The sums over no client."""
    return collections.OrderedDict(
        sums=[tf.zeros(variable.shape, variable.dtype) for variable in variables],
        weights=tf.zeros([len(variables)]),
        bits=tf.zeros([len(variables)], tf.int64),
        nonfinite=tf.constant(0),
        error=tf.zeros([2]),
        clients=tf.constant(0),
    )


def accumulate(
    variables: Sequence[CodedVariable],
    total: collections.OrderedDict,
    upload: collections.OrderedDict,
) -> collections.OrderedDict:
    """`total` with one client's `upload` decoded and added: sum += weight * value, per variable."""
    sums = []
    for index, (variable, accumulated) in enumerate(zip(variables, total["sums"], strict=True)):
        weight = upload["weights"][index]
        seed = randomness.fold_in(upload["seed"], index)
        payload = upload["payloads"][index]

        def add(
            variable=variable, accumulated=accumulated, weight=weight, payload=payload, seed=seed
        ):
            decoded = variable.decode(payload, seed)
            return accumulated + tf.cast(weight, decoded.dtype) * decoded

        # Not a multiplication by zero: what an unsent or invalid payload decodes to must not count.
        sums.append(tf.cond(weight > 0.0, add, lambda accumulated=accumulated: accumulated))
    taken = tf.cast(tf.reduce_any(upload["weights"] > 0.0), tf.int32)
    return collections.OrderedDict(
        sums=sums,
        weights=total["weights"] + upload["weights"],
        bits=total["bits"] + upload["bits"],
        nonfinite=total["nonfinite"] + upload["nonfinite"],
        error=total["error"] + upload["error"],
        clients=total["clients"] + taken,
    )


def merge(
    first: collections.OrderedDict, second: collections.OrderedDict
) -> collections.OrderedDict:
    """The sums over both halves of a cohort."""
    return tf.nest.map_structure(tf.add, first, second)


def means(total: collections.OrderedDict) -> list[tf.Tensor]:
    """Weighted means, per variable; zero for a variable that nobody sent."""
    weights = tf.unstack(total["weights"])
    return [
        tf.math.divide_no_nan(summed, tf.cast(weight, summed.dtype))
        for summed, weight in zip(total["sums"], weights, strict=True)
    ]


def content_seed(values: Sequence[tf.Tensor], seed: int, round_number: tf.Tensor) -> tf.Tensor:
    """int32[2] seed hashed from a client's own values, for callers that give no client seed.

    Clients with equal values share their noise; any difference between two updates separates it.
    """
    words = [
        tf.reduce_sum(tf.bitcast(tf.cast(value, tf.float32), tf.int32) * (2 * index + 1))
        for index, value in enumerate(values)
    ]
    return randomness.fold_in(tf.stack([seed, round_number]), tf.add_n(words))


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
