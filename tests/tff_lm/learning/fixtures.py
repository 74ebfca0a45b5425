"""A tiny language model's text, and TFF's view of it."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

from collections import OrderedDict

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

from compression import make_codec
from compression.aggregation import UpdateAggregator
from compression.parts import SumTransform
from tests import stock_tff  # noqa: F401  (ends TFF's worker)
from tests.tff_lm.learning.tiny_model import STARTS_WORD, VOCABULARY, TinyModel
from tff_lm.learning import metrics, weights
from tff_lm.learning.build import build_algorithm, build_learning_process
from tff_lm.learning.client_model import ClientModel
from tff_lm.learning.options import AlgorithmOptions, LearningOptions
from tff_lm.learning.registry import ALGORITHMS


class Overflow(SumTransform):
    """What sums of finite values near the end of float32's range come to."""

    def apply(self, sums, weights, state, seed):
        del seed
        parts = zip(sums, tf.unstack(weights), strict=True)
        beyond = [tf.where(weight > 0.0, np.float32(np.inf), value) for value, weight in parts]
        return beyond, weights, state, OrderedDict()


def overflowing() -> UpdateAggregator:
    """A mean that is never finite, of clients that are."""
    return UpdateAggregator(make_codec("identity"), sum_transforms=[Overflow()])


def random_batches(client: int, count: int = 3, size: int = 4) -> list[OrderedDict]:
    """Sentences of 1 to 5 tokens and the end; the client number is its seed."""
    rng = np.random.default_rng(client)
    batches = []
    for _ in range(count):
        lengths = rng.integers(1, 6, size=size)
        x = np.zeros([size, 6], np.int32)
        y = np.zeros([size, 6], np.int32)
        for row, length in enumerate(lengths):
            words = rng.integers(3, VOCABULARY, size=length)
            x[row, : length + 1] = [1, *words]
            y[row, : length + 1] = [*words, 2]
        batches.append(OrderedDict(x=x, y=y, seed=np.array([client, 7], np.int32)))
    return batches


def dataset(batches: list[OrderedDict]) -> tf.data.Dataset:
    """The batches as a client's data set; an empty list is a client without data."""
    signature = OrderedDict(
        x=tf.TensorSpec([None, None], tf.int32),
        y=tf.TensorSpec([None, None], tf.int32),
        seed=tf.TensorSpec([2], tf.int32),
    )
    if not batches:
        empty = OrderedDict(
            (k, tf.zeros([0] + [s or 0 for s in spec.shape], tf.int32))
            for k, spec in signature.items()
        )
        whole = tf.data.Dataset.from_tensor_slices(empty)
    else:
        stacked = OrderedDict((k, np.stack([b[k] for b in batches])) for k in signature)
        whole = tf.data.Dataset.from_tensor_slices(stacked)
    return whole.map(
        lambda b: OrderedDict((k, tf.ensure_shape(b[k], s.shape)) for k, s in signature.items())
    )


def cohort(*clients: int, count: int = 3) -> list[tf.data.Dataset]:
    """One data set per client number; 0 is an empty client."""
    return [dataset(random_batches(client, count) if client else []) for client in clients]


def with_states(process, clients: list[tf.data.Dataset]) -> list:
    """The data of clients for `process`, who kept nothing yet, where they keep something."""
    data_type = process.next.type_signature.parameter[1].member
    if isinstance(data_type, tff.SequenceType):
        return clients
    zeros = tuple(np.zeros(leaf.shape, np.float32) for leaf in data_type["kept"].element)
    kept = tf.data.Dataset.from_tensors(zeros)
    return [OrderedDict(batches=batches, kept=kept) for batches in clients]


def client_model(model_fn=TinyModel, mask_policy=None, partition=None) -> ClientModel:
    """The model as the clients see it."""
    return ClientModel(
        model_fn, partition or weights.full_partition(model_fn), STARTS_WORD, mask_policy
    )


def process(
    model=None, *, client_learning_rate=0.1, name="fed_avg", learning=None, parts=None, **options
):
    """A learning process of the algorithm `name`.

    Args:
      model: the `ClientModel`; the tiny one by default.
      client_learning_rate: and ...
      name: and ...
      **options: of `AlgorithmOptions`.
      learning: further arguments of `LearningOptions`.
      parts: further arguments of `build_learning_process`.
    """
    model = model or client_model()
    algorithm = AlgorithmOptions(name=name, client_learning_rate=client_learning_rate, **options)
    chosen = LearningOptions(algorithm=algorithm, **(learning or {}))
    return build_learning_process(model, build_algorithm(model, chosen), **(parts or {}))


def algorithms_of_their_own() -> list[str]:
    """One of those that differ in the server's optimizer alone, which `reference_test` compares."""
    steps = {}
    for name in sorted(ALGORITHMS):
        algorithm = ALGORITHMS[name]
        steps.setdefault((algorithm.client_step, algorithm.hooks, algorithm.server_step), name)
    return list(steps.values())


class ReferenceModel(tff.learning.models.VariableModel):
    """The same model for TFF's own algorithms, whose examples are our tokens."""

    def __init__(self, model_fn=TinyModel):
        self._model = model_fn()
        self._nats = tf.Variable(0.0, trainable=False)

    @property
    def trainable_variables(self):
        return list(self._model.trainable_variables)

    @property
    def non_trainable_variables(self):
        return []

    @property
    def local_variables(self):
        return [self._nats]

    @property
    def input_spec(self):
        return OrderedDict(
            x=tf.TensorSpec([None, None], tf.int32),
            y=tf.TensorSpec([None, None], tf.int32),
            seed=tf.TensorSpec([2], tf.int32),
        )

    def predict_on_batch(self, batch_input, training=True):
        return self._model.score(batch_input["x"], batch_input["y"])[0]

    @tf.function
    def forward_pass(self, batch_input, training=True):
        logits, labels = self._model.score(batch_input["x"], batch_input["y"])
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        self._nats.assign_add(tf.reduce_sum(nats))
        return tff.learning.models.BatchOutput(
            loss=tf.reduce_mean(nats), predictions=(), num_examples=tf.size(labels)
        )

    def report_local_unfinalized_metrics(self):
        return OrderedDict(nats=self._nats.read_value())

    def metric_finalizers(self):
        return OrderedDict(nats=lambda nats: nats)

    def reset_metrics(self):
        self._nats.assign(0.0)


def run(process, cohorts, state=None):
    """The states and metrics of the rounds: `[(state, metrics), ...]`."""
    state = process.initialize() if state is None else state
    outputs = []
    for clients in cohorts:
        output = process.next(state, clients)
        state = output.state
        outputs.append((state, output.metrics))
    return outputs


def trainable(process, state) -> list[np.ndarray]:
    """The global model's trained weights."""
    return [np.asarray(w) for w in process.get_model_weights(state).trainable]


def per_client(output) -> np.ndarray:
    """The matrix of a round."""
    return np.asarray(output[1]["client_work"]["per_client"])


def column(rows, name) -> np.ndarray:
    """One metric of each client."""
    return rows[:, metrics.METRIC_NAMES.index(name)]


def gradients(weights, batch) -> list[np.ndarray]:
    """The reference model's gradients of the mean loss per token, at the given weights."""
    model = ReferenceModel()
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    with tf.GradientTape() as tape:
        loss = model.forward_pass(batch).loss
    gradients = tape.gradient(loss, model.trainable_variables)
    return [tf.convert_to_tensor(g).numpy() for g in gradients]
