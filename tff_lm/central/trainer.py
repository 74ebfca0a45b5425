"""A model under central training: one AdamW step a batch, and the scores of clients' text."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from concurrent import futures

import numpy as np
import tensorflow as tf

from tff_lm.central import batch_parts
from tff_lm.central.adamw import AdamW
from tff_lm.central.options import PretrainOptions
from tff_lm.client_order import ClientOrder
from tff_lm.learning import local_variables, scoring
from tff_lm.learning.client_model import ClientModel
from tff_lm.learning.evaluation import (
    DatasetFn,
    EvaluatedClient,
    Measurement,
    OwnTraining,
    measure_client,
)
from tff_lm.learning.local_training import LocalModel

_DROPOUT_STREAM = 5
_IDS = tf.TensorSpec([None, None], tf.int32)


class CentralTrainer:
    """Weights and optimizer state, in this process."""

    def __init__(
        self, client_model: ClientModel, options: PretrainOptions, *, steps: int, seed: int
    ):
        """Builds the model with its initial weights.

        Args:
          client_model: The model and which of its variables are trained; its mask has no part here.
          options: Of the training; a batch is computed in `parts` at once, at least 1.
          steps: How many it takes in all.
          seed: Of dropout.
        """
        self._model_fn = client_model.model_fn
        self._model = client_model.model_fn()
        self._starts_word = client_model.starts_word
        self._names = client_model.partition.names
        self._variables = self._model.trainable_variables
        self._trained_names = client_model.partition.trained_names
        self._trained_indices = client_model.partition.trained
        self._trained = [self._variables[i] for i in self._trained_indices]
        self._initial = [variable.numpy() for variable in self._variables]
        self._optimizer = AdamW(self._trained, options, steps)
        self._step = tf.Variable(0, dtype=tf.int32, trainable=False)
        self._num_parts, self._seed = options.parts, tf.constant([seed, _DROPOUT_STREAM], tf.int32)
        self._pool = futures.ThreadPoolExecutor(options.parts, thread_name_prefix="part")
        self._gradients = tf.function(
            self._gradients_of_part,
            input_signature=[_IDS, _IDS, tf.TensorSpec([], tf.int32)],
            autograph=False,
        )
        self._apply = tf.function(self._apply_mean, autograph=False)

    @property
    def steps(self) -> int:
        """How many steps led to the present weights."""
        return int(self._step.numpy())

    def reset(self) -> None:
        """Back to the initial weights."""
        for variable, value in zip(self._variables, self._initial, strict=True):
            variable.assign(value)
        self._optimizer.reset()
        self._step.assign(0)

    def train_step(self, batch: batch_parts.Batch) -> np.ndarray:
        """Takes one step; returns the batch's sums before it, float32[K]."""
        pieces = batch_parts.split(batch, self._num_parts)
        results = list(
            self._pool.map(
                lambda numbered: self._gradients(numbered[1]["x"], numbered[1]["y"], numbered[0]),
                enumerate(map(_as_tensors, pieces)),
            )
        )
        return self._apply(results).numpy()

    def evaluator(
        self,
        measurement: Measurement,
        part_fns: Sequence[DatasetFn],
        *,
        training: OwnTraining = OwnTraining(),  # noqa: B008
    ) -> Callable[[Sequence[ClientOrder]], list[np.ndarray]]:
        """The function from orders to the measurement's rows, each float32[clients, K].

        Args:
          measurement: What is computed.
          part_fns: For each of its parts, order -> batches.
          training: How clients would train, for a measurement that does.
        """
        # Who only reads may read the weights themselves, several clients at once.
        model, evaluate_all = self._model, self._pool.map
        if measurement.trains:
            with local_variables.uninitialized_variables():
                model = self._model_fn()
            evaluate_all = map  # type: ignore[assignment]
        variables = model.trainable_variables
        trained = [variables[i] for i in self._trained_indices]
        client = EvaluatedClient(
            LocalModel(model, self._trained_names, trained, self._starts_word), training
        )

        @functools.partial(
            tf.function, input_signature=[tf.TensorSpec([], tf.string)], autograph=False
        )
        def evaluate_client(spec):
            if measurement.trains:
                local_variables.assign_all(variables, self._variables)
            rows = measure_client(measurement, client, [part_fn(spec) for part_fn in part_fns])
            return list(rows.values())

        def evaluate(orders: Sequence[ClientOrder]) -> list[np.ndarray]:
            texts = [tf.constant(order.encode()) for order in orders]
            by_client = list(evaluate_all(evaluate_client, texts))
            return [np.stack(rows) for rows in zip(*by_client, strict=True)]

        return evaluate

    def state_arrays(self) -> dict[str, np.ndarray]:
        """A copy of everything that changes, by name; the weights are "weights/NAME"."""
        weights = zip(self._names, self._variables, strict=True)
        slots = self._optimizer.state(self._trained_names)
        return {
            "step": np.asarray(self._step.numpy()),
            **{f"weights/{name}": variable.numpy() for name, variable in weights},
            **{f"optimizer/{name}": array for name, array in slots.items()},
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Puts back what `state_arrays` gave; raises KeyError if it is another model's."""
        for name, variable in zip(self._names, self._variables, strict=True):
            variable.assign(arrays[f"weights/{name}"])
        prefix = "optimizer/"
        slots = {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}
        self._optimizer.restore(self._trained_names, slots)
        self._step.assign(arrays["step"])

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown()

    def _gradients_of_part(self, x, y, part):
        """The row of sums and the gradients of the part's mean loss, weighted by its tokens."""
        seed = tf.random.experimental.stateless_fold_in(self._seed, self._step)
        seed = tf.random.experimental.stateless_fold_in(seed, part)
        batch = {"x": x, "y": y}
        score, gradients = scoring.score_and_gradients(
            self._model, self._trained, batch, self._starts_word, seed=seed
        )
        return score.row, score.tokens, [gradient * score.tokens for gradient in gradients]

    def _apply_mean(self, results):
        rows, tokens, gradients = zip(*results, strict=True)
        total = tf.add_n(list(tokens))
        mean = [tf.add_n(list(each)) / total for each in zip(*gradients, strict=True)]
        self._optimizer.apply(mean, self._step)
        self._step.assign_add(1)
        return tf.add_n(list(rows))


def _as_tensors(batch: batch_parts.Batch) -> Mapping[str, tf.Tensor]:
    return {name: tf.constant(ids, tf.int32) for name, ids in batch.items()}
