"""Measuring a model at clients: what is measured is a `Measurement`, the way to it is here."""

from __future__ import annotations

import abc
import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.learning import local_variables, metrics, scoring
from tff_lm.learning.averaging import evaluated_weights
from tff_lm.learning.batch_loop import fold
from tff_lm.learning.local_training import LocalModel
from tff_lm.learning.options import LearningOptions
from tff_lm.learning.weights import BATCHES_TYPE, ModelFn, Partition

DatasetFn = Callable[[tf.Tensor], tf.data.Dataset]


@dataclasses.dataclass(frozen=True)
class Part:
    """Some of a client's sentences, in stored order.

    Attributes:
      first: The share of the sentences that come before them, in [0, 1].
      end: The share of the sentences up to their end.
      as_trained: Whether they come as to a training client (its batches, its random order), to be
        trained on; otherwise as they are evaluated, in a fixed order.
    """

    first: float = 0.0
    end: float = 1.0
    as_trained: bool = False

    def __str__(self) -> str:
        use = "trained on" if self.as_trained else "measured on"
        if (self.first, self.end) == (0.0, 1.0):
            return f"{use} all sentences"
        return f"{use} those from {self.first:.4g} to {self.end:.4g} of a client's sentences"


@dataclasses.dataclass(frozen=True)
class OwnTraining:
    """How the clients of the run train, for a measurement that trains, too.

    Attributes:
      learning_rate: Of their optimizer, without the schedule by round.
      options: Epochs, steps, clipping, schedule.
    """

    learning_rate: float = 0.1
    options: LearningOptions = LearningOptions()


class EvaluatedClient(NamedTuple):
    """What a measurement is given within a client's graph.

    Attributes:
      local: The model; its variables hold the global weights. They may be trained.
      training: How the clients of the run train.
    """

    local: LocalModel
    training: OwnTraining


class Measurement(abc.ABC):
    """A way to measure the model: on which sentences of a client, and how.

    A new one is a dataclass in a file of its own that registers itself in
    `tff_lm.evaluations.registry.EVALUATIONS`; its fields are the arguments of its expression.
    """

    @property
    def split(self) -> str:
        """Whose text it is about while a run goes on."""
        return "validation"

    @property
    def final_split(self) -> str:
        """Whose text it is about at the end of a run."""
        return "test"

    @property
    def parts(self) -> tuple[Part, ...]:
        """How a client's sentences are divided; by default they are not."""
        return (Part(),)

    @property
    def measures(self) -> tuple[str, ...]:
        """What `rows` returns, in order. "" goes by the name of the evaluation alone."""
        return ("",)

    @property
    def trains(self) -> bool:
        """Whether it changes the variables."""
        return any(part.as_trained for part in self.parts)

    @abc.abstractmethod
    def rows(
        self, client: EvaluatedClient, parts: Sequence[tf.data.Dataset]
    ) -> Mapping[str, tf.Tensor]:
        """Measures one client; called while a `tf.function` is traced.

        Args:
          client: The model at the client.
          parts: For each of `self.parts` its batches `OrderedDict(x=int32[B,T], y=int32[B,T],
            seed=int32[2])`; no sentences are no batches.

        Returns:
          For each of `measures` a row float32[K] as in `tff_lm.learning.metrics`, zeros where there
          was nothing to measure.
        """


def score_all(local: LocalModel, batches: tf.data.Dataset) -> tf.Tensor:
    """float32[K]: the sums over all batches, at the present weights."""

    def add_batch(row, batch):
        return row + scoring.score_batch(local.model, batch, local.starts_word).row

    return fold(batches, tf.zeros([metrics.NUM_METRICS]), add_batch)


def measure_client(
    measurement: Measurement, client: EvaluatedClient, parts: Sequence[tf.data.Dataset]
) -> OrderedDict[str, tf.Tensor]:
    """The rows of `measurement`, in the order of its `measures`.

    Raises:
      ValueError: If there are others.
    """
    rows = measurement.rows(client, parts)
    if set(rows) != set(measurement.measures):
        raise ValueError(
            f"{measurement} gave rows for {sorted(rows)}; its measures are "
            f"{sorted(measurement.measures)}"
        )
    return OrderedDict((name, rows[name]) for name in measurement.measures)


def build_client_evaluation(
    measurement: Measurement,
    model_fn: ModelFn,
    partition: Partition,
    starts_word: Sequence[bool],
    training: OwnTraining,
) -> tff.Computation:
    """`(<ModelWeights,{x,y,seed}*,...> -> <float32[K],...>)`: the parts of one client, its rows."""

    @tff.tensorflow.computation(
        partition.weights_type(), tff.StructType([BATCHES_TYPE] * len(measurement.parts))
    )
    def evaluate_client(weights, parts):
        with local_variables.uninitialized_variables():
            model = model_fn()
        variables = model.trainable_variables
        trained = [variables[i] for i in partition.trained]
        local = LocalModel(model, partition.trained_names, trained, starts_word)

        @tf.function(autograph=False)
        def run(weights, parts):
            local_variables.assign_all(variables, partition.join(weights))
            client = EvaluatedClient(local, training)
            return tuple(measure_client(measurement, client, parts).values())

        return run(weights, list(parts))

    return evaluate_client


def build_evaluation(
    measurement: Measurement,
    model_fn: ModelFn,
    partition: Partition,
    starts_word: Sequence[bool],
    part_fns: Sequence[DatasetFn],
    state_type: tff.Type,
    training: OwnTraining = OwnTraining(),
) -> tff.Computation:
    """`(<S@SERVER,{str}@CLIENTS> -> <float32[?,K],...>@SERVER)`: by measure, one row a client.

    Args:
      measurement: What is computed at a client.
      model_fn: Makes the model.
      partition: Of the learning process whose state is evaluated.
      starts_word: bool[V].
      part_fns: For each of the measurement's parts, order -> batches.
      state_type: Of the learning process: `process.initialize.type_signature.result.member`.
      training: How the clients of the run train.
    """
    evaluate_client = build_client_evaluation(
        measurement, model_fn, partition, starts_word, training
    )

    @tff.tensorflow.computation(np.str_)
    def parts_of(spec):
        return tuple(part_fn(spec) for part_fn in part_fns)

    @tff.federated_computation(
        tff.FederatedType(state_type, tff.SERVER), tff.FederatedType(np.str_, tff.CLIENTS)
    )
    def evaluate(state, specs):
        weights = tff.federated_broadcast(evaluated_weights(state))
        parts = tff.federated_map(parts_of, specs)
        rows = tff.federated_map(evaluate_client, (weights, parts))
        return tff.federated_zip(
            tuple(metrics.aggregate_rows(rows[i]) for i in range(len(measurement.measures)))
        )

    return evaluate
