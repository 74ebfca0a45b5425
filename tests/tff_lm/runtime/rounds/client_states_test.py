"""What clients keep, through real workers: the same as by hand, and none of it lost."""

from tests.tff_lm.learning import fixtures  # isort: skip

import contextlib
import functools
import os
import pathlib
import signal
import tempfile
from collections import OrderedDict
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tff_lm.client_order import NOBODY, ClientOrder
from tff_lm.learning.build import build_algorithm, build_learning_process
from tff_lm.learning.kept import client_state_zero
from tff_lm.learning.options import AlgorithmOptions, LearningOptions
from tff_lm.learning.orders import with_client_orders
from tff_lm.runtime import errors
from tff_lm.runtime.processes.worker import LocalWorker, WorkerOptions
from tff_lm.runtime.rounds import client_states
from tff_lm.runtime.rounds.resident import ResidentProcess
from tff_lm.runtime.rounds.worker_pool import WorkerPool

_OPTIONS = LearningOptions(
    AlgorithmOptions(name="scaffold", client_learning_rate=0.2, weighting="uniform"), population=4
)
# Clients come back; the last round meets nobody new.
_ROUNDS = [("1", "2"), ("3", NOBODY, "1"), ("2", "4", "3"), ("1", "2")]
_BATCHES = 2


def _dataset_fn(order):
    """The text of the client whose number the order ends with; none for nobody."""
    digits = tf.strings.regex_replace(order, ".*/", "")
    number = tf.strings.to_number(tf.where(tf.equal(digits, ""), "0", digits), tf.int32)

    def batch(index):
        seed = tf.stack([number, tf.cast(index, tf.int32)])
        words = tf.random.stateless_uniform([2, 3], seed, 3, fixtures.VOCABULARY, tf.int32)
        x = tf.pad(words, [[0, 0], [1, 0]], constant_values=1)
        y = tf.pad(words, [[0, 0], [0, 1]], constant_values=2)
        return OrderedDict(x=x, y=y, seed=tf.stack([number, 7]))

    count = tf.where(number > 0, tf.constant(_BATCHES, tf.int64), 0)
    return tf.data.Dataset.range(count).map(batch)


@functools.cache
def _process():
    model = fixtures.client_model()
    algorithm = build_algorithm(model, _OPTIONS)
    process = build_learning_process(model, algorithm)
    state_type = client_state_zero(algorithm).type_signature.result
    return process, with_client_orders(process, _dataset_fn), state_type


def _orders(number):
    return [ClientOrder(5, number, client) for client in _ROUNDS[number - 1]]


@functools.cache
def _by_hand():
    """The weights after each round; what clients keep is the equation of option II."""
    process, _, state_type = _process()
    state, kept, weights = process.initialize(), {}, []
    zeros = [np.zeros(leaf.shape, np.float32) for leaf in state_type]
    for clients in _ROUNDS:
        data, control = [], [np.asarray(c) for c in state.client_work["coded"]]
        for client in clients:
            states = tf.data.Dataset.from_tensors(tuple(kept.get(client, zeros)))
            batches = _dataset_fn(tf.constant(f"5/1/{client}" if client else ""))
            data.append(OrderedDict(batches=batches, kept=states))
        before = fixtures.trainable(process, state)
        alone = {
            client: fixtures.trainable(process, process.next(state, [one]).state)
            for client, one in zip(clients, data, strict=True)
            if client
        }
        for client, after in alone.items():
            own = kept.get(client, zeros)
            kept[client] = [
                c_i - c + (w0 - w) / (_BATCHES * 0.2)
                for c_i, c, w0, w in zip(own, control, before, after, strict=True)
            ]
        state = process.next(state, data).state
        weights.append(fixtures.trainable(process, state))
    return weights


class ClientStatesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))

    def start(self, kind="memory", workers=1):
        """A process on new workers, its clients' states in memory or in the folder's file."""
        process, next_round, state_type = _process()
        limit = 0 if kind == "file" else 1e9
        self.enter_context(mock.patch.object(client_states, "_IN_MEMORY_BYTES", limit))
        pool = WorkerPool([LocalWorker(WorkerOptions(concurrency=1)) for _ in range(workers)])
        self.pool = self.enter_context(pool)
        states = client_states.ClientStates(
            state_type, population=4, path=self.folder / "states.sqlite", kept_checkpoints=2
        )
        self.enter_context(contextlib.closing(states))
        return ResidentProcess(self.pool, process.initialize, next_round, states)

    def assert_weights(self, process, expected):
        arrays = process.state_arrays()
        names = [name for name in arrays if name.startswith("global_model_weights/trainable")]
        for name, weight in zip(names, expected, strict=True):
            np.testing.assert_allclose(arrays[name], weight, rtol=1e-3, atol=1e-5)

    @parameterized.parameters(("memory", 1), ("file", 1), ("memory", 2))
    def test_rounds_are_those_by_hand(self, kind, workers):
        process = self.start(kind, workers)
        process.initialize()
        for number, expected in enumerate(_by_hand(), start=1):
            metrics = process.next(_orders(number))
            self.assertEqual(metrics["client_work"]["kept"], len(_ROUNDS[number - 1]))
            self.assert_weights(process, expected)

    @parameterized.parameters("memory", "file")
    def test_a_run_goes_on_from_a_checkpoint_to_the_bit(self, kind):
        process = self.start(kind)
        process.initialize()
        saved = []
        for number in (1, 2, 3, 4):
            process.next(_orders(number))
            saved.append(process.state_arrays())
        # A file is good for the last two checkpoints, memory for each.
        older = [(saved[1], 3)] if kind == "memory" else []
        for arrays, number in [(saved[2], 4), *older]:
            again = self.start(kind)
            again.restore(arrays)
            again.next(_orders(number))
            for name, array in again.state_arrays().items():
                if name != "client_states/dump":
                    np.testing.assert_array_equal(array, saved[number - 1][name], err_msg=name)

    def test_a_worker_that_dies_takes_nothing_along(self):
        whole = self.start()
        whole.initialize()
        for number in (1, 2, 3, 4):
            whole.next(_orders(number))
        expected = whole.state_arrays()
        process = self.start()
        process.initialize()
        for number in (1, 2, 3, 4):
            os.kill(self.pool.workers[0].pid, signal.SIGKILL)
            process.next(_orders(number))
        for name, array in process.state_arrays().items():
            if name != "client_states/dump":
                np.testing.assert_array_equal(array, expected[name], err_msg=name)

    def test_a_round_that_fails_is_as_if_it_had_not_been(self):
        process = self.start()
        process.initialize()
        process.next(_orders(1))
        broken = [ClientOrder(5, 2, "1"), ClientOrder(5, 2, "no number")]
        with self.assertRaises(errors.ComputationError):
            process.next(broken)
        process.next(_orders(2))
        self.assert_weights(process, _by_hand()[1])

    def test_another_model_than_the_present_one_is_refused(self):
        process = self.start()
        process.initialize()
        process.next([ClientOrder(5, 1, "1", model_version=0)])
        with self.assertRaisesRegex(ValueError, "only that after round 1 is held"):
            process.next([ClientOrder(5, 2, "1", model_version=0)])


if __name__ == "__main__":
    absltest.main()
