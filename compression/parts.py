"""What the parts of an aggregator must hold; `compression.aggregation` puts them together.

    update -> client transforms -> codec -> upload           at each client
    uploads -> rule -> sums, weights                         as they arrive
    sums, weights -> sum transforms -> sums / weights        once a round, at the server

A part is a frozen dataclass of its options with functions of plain TensorFlow; it knows nothing of
federated computations. One of your own is one file, in the folder of its kind (`client_transforms`,
`rules`, `sum_transforms`), or anywhere if it is loaded as an extension:

    @CLIENT_TRANSFORMS.register("signs")
    @dataclasses.dataclass(frozen=True)
    class Signs(ClientTransform):
        step: float = option(1e-3, "what each sign stands for", minimum=0.0)

        def apply(self, update, weights, state, seed):
            return [self.step * tf.sign(x) for x in update], weights, OrderedDict()

What every part of a kind promises, `tests/compression/parts_test.py` tests over the registries.
"""

from __future__ import annotations

import abc
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from compression.variables import CodedVariable

# Any structure of tensors; what it holds is the part's own affair.
State = Any
Total = Any
Measurements = OrderedDict  # name -> tf.Tensor


class ClientTransform(abc.ABC):
    """Changes a client's update before it is encoded.

    A variable of weight 0 is not sent; its value is ignored. A transform may set weights to 0, and
    so send less or nothing. What is not finite must not come out as finite: the client would be
    taken for a healthy one.
    """

    def initial_state(self, variables: Sequence[CodedVariable]) -> State:
        """What the server keeps from round to round and every client receives; by default ()."""
        del variables
        return ()

    @abc.abstractmethod
    def apply(
        self, update: Sequence[tf.Tensor], weights: tf.Tensor, state: State, seed: tf.Tensor
    ) -> tuple[Sequence[tf.Tensor], tf.Tensor, Measurements]:
        """One client's update, changed.

        Args:
          update: V tensors of static shapes and floating dtypes.
          weights: float32[V].
          state: Of the server.
          seed: int32[2], of this client, round and transform.

        Returns:
          Tensors of the same shapes and dtypes; weights; scalars, which are summed over the clients
          that come with a weight > 0 and are not rejected as not finite.
        """

    def next_state(
        self, state: State, totals: Mapping[str, tf.Tensor], clients: tf.Tensor
    ) -> State:
        """The state of the next round, from the sums over int32[] `clients`, which may be none."""
        del totals, clients
        return state

    def report(
        self, state: State, totals: Mapping[str, tf.Tensor], clients: tf.Tensor
    ) -> Measurements:
        """The measurements of a round: by default the sums themselves."""
        del state, clients
        return OrderedDict(totals)


class Rule(abc.ABC):
    """Combines the decoded updates of clients, one at a time.

    The total may hold anything: sums, or a row for each client. It must not matter, but for
    rounding, in which order clients come, nor where a cohort is cut in two.
    """

    @abc.abstractmethod
    def zero(self, variables: Sequence[CodedVariable]) -> Total:
        """The total of no client."""

    @abc.abstractmethod
    def accumulate(
        self, total: Total, values: Sequence[Callable[[], tf.Tensor]], weights: tf.Tensor
    ) -> Total:
        """The total with one more client.

        Args:
          total: Of the clients before.
          values: V functions that decode a variable. One of weight 0 must not be called: there is
            nothing to decode. `for_each_sent` does what most rules need.
          weights: float32[V], finite and not negative; all 0 for a client that was rejected.
        """

    @abc.abstractmethod
    def merge(self, first: Total, second: Total) -> Total:
        """The total of both halves of a cohort."""

    @abc.abstractmethod
    def sums_and_weights(self, total: Total) -> tuple[list[tf.Tensor], tf.Tensor]:
        """V tensors and float32[V], what to divide them by; 0 where nobody trained a variable."""


class SumTransform(abc.ABC):
    """Changes the sums before they are divided by their weights.

    A variable of weight 0 was trained by nobody and must stay so.
    """

    def initial_state(self, variables: Sequence[CodedVariable]) -> State:
        """What the server keeps from round to round; by default ()."""
        del variables
        return ()

    @abc.abstractmethod
    def apply(
        self, sums: Sequence[tf.Tensor], weights: tf.Tensor, state: State, seed: tf.Tensor
    ) -> tuple[Sequence[tf.Tensor], tf.Tensor, State, Measurements]:
        """The sums of a round, changed.

        Args:
          sums: V tensors.
          weights: float32[V].
          state: As the last round left it.
          seed: int32[2], of this round and transform.

        Returns:
          Sums of the same shapes and dtypes, weights, the next state, and measurements.
        """


def for_each_sent(
    totals: Sequence[tf.Tensor],
    values: Sequence[Callable[[], tf.Tensor]],
    weights: tf.Tensor,
    add: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor],
) -> list[tf.Tensor]:
    """`add(total, value, weight)` for each variable of weight > 0; other totals stay as they are.

    Not a multiplication by zero: what a payload decodes to that was not sent must not count, and
    should cost nothing.
    """
    results = []
    for index, (total, value) in enumerate(zip(totals, values, strict=True)):
        weight = weights[index]

        def added(total=total, value=value, weight=weight):
            return add(total, value(), weight)

        results.append(tf.cond(weight > 0.0, added, lambda total=total: total))
    return results


def sent_norm(update: Sequence[tf.Tensor], weights: tf.Tensor) -> tf.Tensor:
    """float32[]: the l2 norm of an update over the variables of weight > 0.

    NaN or infinite for an update that is not finite, or whose squares overflow.
    """
    squares = [2.0 * tf.nn.l2_loss(tf.cast(value, tf.float32)) for value in update]
    return tf.sqrt(tf.reduce_sum(tf.where(weights > 0.0, tf.stack(squares), 0.0)))


def scaled_to_norm(
    update: Sequence[tf.Tensor], norm: tf.Tensor, limit: float | tf.Tensor
) -> list[tf.Tensor]:
    """The update, of l2 norm `norm`, scaled down to `limit` if it is longer; else exactly as it is.

    All NaN if the norm is not finite.
    """
    factor = tf.where(tf.math.is_finite(norm), limit / tf.maximum(norm, limit), float("nan"))
    return [value * tf.cast(factor, value.dtype) for value in update]
