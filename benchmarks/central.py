"""Central training of a configuration's model on the same sentences: what federation costs.

    python -m benchmarks.central --config=configs/chat.py --passes=4

All training clients' sentences in one place, shuffled anew each pass, AdamW with warm-up and linear
decay. After each pass the validation clients are scored, and the best pass is scored on the test
clients, on the same targets as the federated run's.
"""

import json
import time
from collections.abc import Iterator, Sequence

import ml_collections
import numpy as np
import tensorflow as tf
from absl import flags
from tqdm import tqdm

from tasks import batching
from tasks.batching import BatchSpec
from tasks.task import Task, make_task
from tff_lm.config import command_line
from tff_lm.learning import metrics, scoring
from tff_lm.models import build_model
from tff_lm.program import precision, settings

_CONFIG = command_line.define_config()
_PASSES = flags.DEFINE_integer("passes", 4, "passes over the sentences", lower_bound=1)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "sentences of a batch", lower_bound=1)
_RATE = flags.DEFINE_float("learning_rate", 2e-3, "AdamW's, at its highest", lower_bound=0.0)
_WARMUP = 200  # steps

# Of a federated evaluation's figures, those that do not tell clients apart.
_FIGURES = (
    "token_perplexity",
    "word_perplexity",
    "bits_per_word",
    "top1_accuracy",
    "top3_accuracy",
    "tokens",
    "words",
)

Batch = dict[str, np.ndarray]


def sentences(task: Task, split: str, max_length: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The inputs and targets of every sentence of a split, cut as in federated training."""
    spec = BatchSpec(batch_size=1024, max_length=max_length, shuffle=False, bucket=False)
    dataset_fn = batching.make_dataset_fn(task.data_path, split, spec)
    specs = [batching.client_spec(0, 0, client) for client in task.client_ids(split)]
    found = []
    for batch in tf.data.Dataset.from_tensor_slices(specs).flat_map(dataset_fn):
        x, y = batch["x"].numpy(), batch["y"].numpy()
        lengths = np.count_nonzero(y, axis=1)
        found += [(x[i, :n], y[i, :n]) for i, n in enumerate(lengths)]
    return found


def batches(
    rows: Sequence[tuple[np.ndarray, np.ndarray]], size: int, seed: tuple[int, int]
) -> Iterator[Batch]:
    """Random batches of sentences; what a batch holds and their order depend on the seed alone."""
    order = np.random.default_rng(seed).permutation(len(rows))
    for start in range(0, len(rows), size):
        chosen = [rows[i] for i in order[start : start + size]]
        width = max(len(x) for x, _ in chosen)
        yield {
            name: np.stack([np.pad(pair[i], (0, width - len(pair[i]))) for pair in chosen])
            for i, name in enumerate("xy")
        }


class CentralTrainer:
    """A model under central training, and its scores."""

    def __init__(self, config: ml_collections.ConfigDict, task: Task, steps: int, rate: float):
        self._model = build_model(
            config.model.name,
            task.vocabulary.size,
            dropout=config.model.dropout,
            precision=precision.resolve(config.runtime.precision),
            seed=config.seed,
        )
        schedule = tf.keras.optimizers.schedules.PolynomialDecay(rate, steps, rate * 0.01)

        def warmed_up(step: tf.Tensor) -> tf.Tensor:
            return schedule(step) * tf.minimum(1.0, (tf.cast(step, tf.float32) + 1.0) / _WARMUP)

        self._rate = warmed_up
        self._optimizer = tf.keras.optimizers.AdamW(rate, weight_decay=0.01, global_clipnorm=1.0)
        self._starts_word = task.vocabulary.starts_word.tolist()
        self._seed = tf.constant([config.seed, 0], tf.int32)
        ids = tf.TensorSpec([None, None], tf.int32)
        signature = [{"x": ids, "y": ids}]
        self.step = tf.function(self._step, input_signature=signature)
        self._score = tf.function(self._row, input_signature=signature)

    @property
    def weights(self) -> list[np.ndarray]:
        """A copy of the model's weights."""
        return self._model.get_weights()

    @weights.setter
    def weights(self, values: list[np.ndarray]) -> None:
        self._model.set_weights(values)

    def evaluate(self, rows: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
        """The same metrics as a federated evaluation's."""
        parts = [self._score(batch).numpy() for batch in batches(rows, 64, (0, 0))]
        summary = metrics.summarise(np.stack(parts))  # rows are batches here, not clients
        return {name: summary[name] for name in _FIGURES}

    def _step(self, batch: dict[str, tf.Tensor]) -> tf.Tensor:
        step = self._optimizer.iterations
        seed = tf.random.experimental.stateless_fold_in(self._seed, step)
        variables = self._model.trainable_variables
        score, gradients = scoring.score_and_gradients(
            self._model, variables, batch, self._starts_word, seed=seed
        )
        self._optimizer.learning_rate.assign(self._rate(step))
        self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return score.loss

    def _row(self, batch: dict[str, tf.Tensor]) -> tf.Tensor:
        return scoring.score_batch(self._model, batch, self._starts_word).row


def main(arguments: Sequence[str]) -> None:
    """Trains, and ends with one line of JSON."""
    command_line.refuse_positional(arguments)
    config = command_line.value(_CONFIG)
    task = make_task(**settings.task_arguments(config))
    train, validation, test = (
        sentences(task, split, config.federated.max_length)
        for split in ("train", "validation", "test")
    )
    steps = -(-len(train) // _BATCH_SIZE.value)
    trainer = CentralTrainer(config, task, steps * _PASSES.value, _RATE.value)
    start, best = time.monotonic(), (np.inf, 0, trainer.weights)
    for index in range(1, _PASSES.value + 1):
        data = batches(train, _BATCH_SIZE.value, (config.seed, index))
        for batch in tqdm(data, f"pass {index}", steps, unit="step", leave=False):
            trainer.step(batch)
        perplexity = trainer.evaluate(validation)["token_perplexity"]
        print(f"pass {index}: validation perplexity {perplexity:.2f}", flush=True)
        best = min(best, (perplexity, index, trainer.weights), key=lambda item: item[0])
    trainer.weights = best[2]
    result = {
        "model": config.model.name,
        "best_pass": best[1],
        "sentences": len(train),
        "validation_token_perplexity": best[0],
        "test": trainer.evaluate(test),
        "seconds": time.monotonic() - start,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    command_line.run(main)
