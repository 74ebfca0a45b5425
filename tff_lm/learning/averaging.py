"""Averages of the rounds' models: what is evaluated and kept, while training goes on from the last.

The server's steps circle around where they lead to; the mean of the last models is nearer. Any
algorithm's finalizer is wrapped, which sees a round's new model and not how it came about. All
trained variables are averaged over the same rounds, those in which something was trained, whether
or not it was that variable (under partial training most stay as they are in a round). Nobody
downloads an average; it costs no bytes, and a pass over the models at the server.
"""

from __future__ import annotations

import abc
import dataclasses
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tensorflow_federated as tff

from tff_lm import expressions
from tff_lm.learning.hyperparameters import hparams_computations
from tff_lm.learning.registry import AVERAGES

_FIELD = "averaging"
# Where the average of trained variable i lies in the state's arrays.
AVERAGE_LEAF = f"finalizer/{_FIELD}/weights/{{}}"


class Average(abc.ABC):
    """Of models, each a tensor for every trained variable.

    A new one is a frozen dataclass that registers itself; its fields are the arguments of its
    expression.
    """

    def initial(self, weights: Sequence[tf.Tensor]) -> Any:
        """What it remembers beside the average, a structure of tensors, before the first round."""
        del weights
        return ()

    @abc.abstractmethod
    def add(
        self,
        memory: Any,
        average: Sequence[tf.Tensor],
        weights: Sequence[tf.Tensor],
        count: tf.Tensor,
    ) -> tuple[Any, tuple[tf.Tensor, ...]]:
        """(memory, average) with another model.

        Args:
          memory: As it was; of the structure of `initial`.
          average: As it was; the initial model before the first.
          weights: The model after a round.
          count: int32[], how many there are with this one.
        """


@AVERAGES.register("ema")
@dataclasses.dataclass(frozen=True)
class ExponentialAverage(Average):
    """The sum of decay^age w over that of decay^age; the initial model is not among them.

    Attributes:
      decay: How much of the average a round keeps, in [0, 1): 0.9 looks back some 10 rounds.
    """

    decay: float = 0.9

    def __post_init__(self) -> None:
        if not 0.0 <= self.decay < 1.0:
            raise ValueError(f"ema: decay = {self.decay} must lie in [0, 1).")

    def add(
        self,
        memory: Any,
        average: Sequence[tf.Tensor],
        weights: Sequence[tf.Tensor],
        count: tf.Tensor,
    ) -> tuple[Any, tuple[tf.Tensor, ...]]:
        share = (1.0 - self.decay) / (1.0 - tf.pow(self.decay, tf.cast(count, tf.float32)))
        return memory, tuple(a + share * (w - a) for a, w in zip(average, weights, strict=True))


@AVERAGES.register("lawa")
@dataclasses.dataclass(frozen=True)
class LatestAverage(Average):
    """The mean of the latest models (Kaddour 2022, "Stop Wasting My Time!", arXiv 2209.14981).

    Attributes:
      rounds: How many at most; so many models are in the server's state.
    """

    rounds: int = 5

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError(f"lawa: rounds = {self.rounds} must be at least 1.")

    def initial(self, weights: Sequence[tf.Tensor]) -> Any:
        return (tuple(weights),) * self.rounds

    def add(
        self,
        memory: Any,
        average: Sequence[tf.Tensor],
        weights: Sequence[tf.Tensor],
        count: tf.Tensor,
    ) -> tuple[Any, tuple[tf.Tensor, ...]]:
        del average
        models = (tuple(weights), *(tuple(model) for model in memory[:-1]))
        there = tf.minimum(count, self.rounds)
        shares = tf.cast(tf.range(self.rounds) < there, tf.float32) / tf.cast(there, tf.float32)
        mean = tuple(
            tf.add_n([shares[age] * value for age, value in enumerate(values)])
            for values in zip(*models, strict=True)
        )
        return models, mean


def build_average(text: str) -> Average | None:
    """The average that an expression such as "ema(decay=0.9)" describes; None for an empty one.

    Raises:
      ValueError: For an unknown name or argument, or a value out of range.
    """
    if not text:
        return None
    built: Average = expressions.build(text, AVERAGES)
    return built


def with_average(
    finalizer: tff.learning.templates.FinalizerProcess,
    average: Average,
    initial_weights: tff.Computation,
) -> tff.learning.templates.FinalizerProcess:
    """A finalizer that does the same, and keeps an average of its results in its state.

    `next: (<S',ModelWeights,U> -> <state=S',result=ModelWeights,measurements=M>)@SERVER` with
    `S' = <...S,averaging=<weights=<float32[...],...>,memory=...>>`.

    Args:
      finalizer: Whose state S counts in `round` the rounds in which something was trained.
      average: What is kept.
      initial_weights: `( -> ModelWeights)`, the average before the first round.
    """
    own_type, weights_type, aggregate_type = finalizer.next.type_signature.parameter
    names = [name for name, _ in tff.structure.iter_elements(own_type.member)]

    @tff.tensorflow.computation(initial_weights.type_signature.result)
    def begin(weights):
        values = tuple(weights.trainable)
        return OrderedDict(weights=values, memory=average.initial(values))

    @tff.tensorflow.computation(
        begin.type_signature.result,
        weights_type.member.trainable,
        own_type.member["round"],
        own_type.member["round"],
    )
    def advance(averaging, weights, before, after):
        @tf.function(autograph=False)
        def run(averaging, weights, before, after):
            memory, mean = averaging["memory"], tuple(averaging["weights"])

            def add():
                return average.add(memory, mean, tuple(weights), after)

            memory, mean = tf.cond(after > before, add, lambda: (memory, mean))
            return OrderedDict(weights=mean, memory=memory)

        return run(averaging, weights, before, after)

    @tff.federated_computation
    def init_fn():
        state = _fields(finalizer.initialize(), names)
        initial = tff.federated_eval(initial_weights, tff.SERVER)
        state[_FIELD] = tff.federated_map(begin, initial)
        return tff.federated_zip(state)

    state_type = init_fn.type_signature.result

    @tff.federated_computation(state_type, weights_type, aggregate_type)
    def next_fn(state, weights, aggregate):
        output = finalizer.next(tff.federated_zip(_fields(state, names)), weights, aggregate)
        new_state = _fields(output.state, names)
        new_state[_FIELD] = tff.federated_map(
            advance,
            (state[_FIELD], output.result.trainable, state["round"], output.state["round"]),
        )
        return tff.templates.MeasuredProcessOutput(
            tff.federated_zip(new_state), output.result, output.measurements
        )

    get_hparams, set_hparams = hparams_computations(state_type.member, ["learning_rate"])
    return tff.learning.templates.FinalizerProcess(
        init_fn, next_fn, get_hparams_fn=get_hparams, set_hparams_fn=set_hparams
    )


def evaluated_weights(state: tff.Value) -> tff.Value:
    """`S@SERVER -> ModelWeights@SERVER` of a learning process: the average, if there is one."""
    weights = state.global_model_weights
    if not _averages(state.type_signature.member):
        return weights
    average = state.finalizer[_FIELD]["weights"]
    return tff.federated_zip(tff.learning.models.ModelWeights(average, weights.non_trainable))


def _averages(state_type: tff.StructType) -> bool:
    fields = dict(tff.structure.iter_elements(state_type))
    return "finalizer" in fields and _FIELD in dict(
        tff.structure.iter_elements(fields["finalizer"])
    )


def _fields(value: Any, names: Sequence[str]) -> OrderedDict[str, Any]:
    return OrderedDict((name, value[name]) for name in names)
