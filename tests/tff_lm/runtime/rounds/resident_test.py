"""Rounds in real workers against stock `process.next`, and with workers that die."""

import contextlib
import os
import signal
import threading
from unittest import mock

import numpy as np
import psutil
import tensorflow_federated as tff
from absl.testing import absltest, parameterized

from tests import stock_tff
from tests.tff_lm.runtime import toy_process
from tff_lm.client_order import NOBODY, ClientOrder
from tff_lm.runtime import errors
from tff_lm.runtime.processes import worker
from tff_lm.runtime.rounds import client_states, resident, state_arrays, worker_pool

_ROUNDS = 3
_PROCESS = toy_process.learning_process()
_EVALUATION = toy_process.evaluation(_PROCESS)


def _orders(round_number: int, clients: int = 5, kind: str = "") -> list[ClientOrder]:
    """Clients of a round; the last one is nobody."""
    names = [f"client{index}{kind}" for index in range(clients - 1)]
    return [ClientOrder(7, round_number, name) for name in [*names, NOBODY]]


def _texts(round_number: int) -> list[str]:
    return [order.encode() for order in _orders(round_number)]


def _local_worker(concurrency: int = 2) -> worker.LocalWorker:
    return worker.LocalWorker(worker.WorkerOptions(concurrency=concurrency))


def _flatten(value: object) -> list[np.ndarray]:
    struct = tff.structure.from_container(value, recursive=True)
    return [np.asarray(leaf) for leaf in tff.structure.flatten(struct)]


class ResidentTestCase(parameterized.TestCase):
    def start(
        self, workers=None, chunk_size=None, process=_PROCESS, clients=None
    ) -> resident.ResidentProcess:
        self.runtime = self.enter_context(
            worker_pool.WorkerPool(workers or [_local_worker()], chunk_size)
        )
        return resident.ResidentProcess(self.runtime, process.initialize, process.next, clients)

    def run_rounds(self, process, rounds=range(_ROUNDS)):
        return [process.next(_orders(round_number)) for round_number in rounds]

    def assert_same(self, left, right):
        self.assertEqual(list(left), list(right))
        for name in left:
            np.testing.assert_array_equal(left[name], right[name], err_msg=name)


class EqualityTest(ResidentTestCase):
    """Against TFF's own runtime."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with stock_tff.own_worker():
            cls.states, cls.metrics = [_PROCESS.initialize()], []
            for round_number in range(_ROUNDS):
                output = _PROCESS.next(cls.states[-1], _texts(round_number))
                cls.states.append(output.state)
                cls.metrics.append(output.metrics)
            cls.evaluated = _EVALUATION(cls.states[-1], _texts(9))

    def assert_equals_stock(self, process):
        arrays = list(process.state_arrays().values())
        for mine, stock in zip(arrays, _flatten(self.states[-1]), strict=True):
            np.testing.assert_array_equal(mine, stock)
            self.assertEqual(mine.dtype, stock.dtype)

    @parameterized.parameters((1, None), (2, None), (2, 2), (3, 64))
    def test_rounds_equal_stock_bit_for_bit(self, concurrency, chunk_size):
        process = self.start([_local_worker(concurrency)], chunk_size)
        process.initialize()
        self.assertEqual(self.run_rounds(process), self.metrics)
        self.assert_equals_stock(process)
        self.assertEqual(process.evaluate(_EVALUATION, _orders(9)), self.evaluated)
        self.assert_equals_stock(process)  # an evaluation leaves the state as it is

    def test_two_workers_equal_stock_up_to_rounding(self):
        process = self.start([_local_worker(1), _local_worker(1)])
        process.initialize()
        self.run_rounds(process)
        for mine, stock in zip(
            process.state_arrays().values(), _flatten(self.states[-1]), strict=True
        ):
            np.testing.assert_allclose(mine, stock, rtol=1e-4, atol=1e-6)


class StateTest(ResidentTestCase):
    def setUp(self):
        super().setUp()
        self.process = self.start()
        self.process.initialize()

    def test_restored_state_is_exact_and_goes_on_exactly(self):
        self.run_rounds(self.process, range(2))
        saved = self.process.state_arrays()
        self.run_rounds(self.process, range(2, 3))
        expected = self.process.state_arrays()
        self.process.initialize()
        self.process.restore(saved)
        self.assert_same(self.process.state_arrays(), saved)
        self.run_rounds(self.process, range(2, 3))
        self.assert_same(self.process.state_arrays(), expected)

    def test_leaves_are_named_by_their_path(self):
        arrays = self.process.state_arrays()
        self.assertEqual(
            arrays["global_model_weights/trainable/0"].shape, (toy_process.FEATURES, 32)
        )
        self.assertEqual(arrays["finalizer/step"].dtype, np.int32)

    def test_refuses_a_state_that_does_not_fit(self):
        arrays = self.process.state_arrays()
        name = "global_model_weights/trainable/0"
        with self.assertRaisesRegex(ValueError, f"lacks leaf '{name}'"):
            self.process.restore({key: arrays[key] for key in arrays if key != name})
        with self.assertRaisesRegex(ValueError, f"'{name}' .* float64"):
            self.process.restore({**arrays, name: arrays[name].astype(np.float64)})
        with self.assertRaisesRegex(ValueError, f"'{name}' .*16, 31"):
            self.process.restore({**arrays, name: arrays[name][:, 1:]})
        with self.assertRaisesRegex(ValueError, "unknown leaf 'more'"):
            self.process.restore({**arrays, "more": np.zeros(1)})

    def test_no_clients(self):
        with self.assertRaisesRegex(ValueError, "at least one client"):
            self.process.next([])

    def test_failed_computation_leaves_the_state(self):
        self.run_rounds(self.process, range(1))
        expected = self.process.state_arrays()
        with self.assertRaisesRegex(errors.ComputationError, "a broken client"):
            self.process.next([ClientOrder(7, 1, name) for name in ("a", "broken", "b")])
        self.assert_same(self.process.state_arrays(), expected)

    def test_no_state_yet(self):
        process = resident.ResidentProcess(self.runtime, _PROCESS.initialize, _PROCESS.next)
        with self.assertRaisesRegex(RuntimeError, "initialize"):
            process.next(_orders(0))


class MemoryTest(ResidentTestCase):
    def test_values_of_past_rounds_are_forgotten(self):
        process = self.start(process=toy_process.learning_process(units=1 << 15))  # 2 MB of weights
        process.initialize()
        memory = psutil.Process(self.runtime.workers[0].pid).memory_info
        for round_number in range(6):
            process.next(_orders(round_number))
        before = memory().rss
        for round_number in range(20):
            process.next(_orders(round_number))
        self.assertLess(memory().rss - before, 40e6)  # 20 states alone would be 120 MB


def _kill_soon(victim: worker.LocalWorker) -> None:
    """Kills a worker when the round that is about to start is well under way."""
    threading.Timer(0.15, os.kill, [victim.pid, signal.SIGKILL]).start()


class FaultTest(ResidentTestCase):
    def run_with_slow_round(self, workers, victim=None):
        """Runs four rounds, the third a slow one in whose midst `victim` is killed."""
        process = self.start(workers)
        process.initialize()
        metrics = self.run_rounds(process, range(2))
        with contextlib.ExitStack() as stack:
            if victim is not None:
                logs = stack.enter_context(self.assertLogs("absl", "WARNING"))
                _kill_soon(self.runtime.workers[victim])
            metrics.append(process.next(_orders(2, 7, "/slow")))
        if victim is not None:
            self.assertIn("worker died", "".join(logs.output))
        metrics += self.run_rounds(process, range(3, 4))
        return metrics, process.state_arrays()

    @parameterized.named_parameters(("only", 1, 0), ("home_of_two", 2, 0), ("other_of_two", 2, 1))
    def test_worker_killed_in_a_round_changes_nothing(self, count, victim):
        workers = [_local_worker(1) for _ in range(count)]
        metrics, state = self.run_with_slow_round(workers)
        self.runtime.stop()
        metrics_with_fault, state_with_fault = self.run_with_slow_round(workers, victim)
        self.assertEqual(metrics, metrics_with_fault)
        self.assert_same(state, state_with_fault)

    def test_worker_killed_between_rounds_changes_nothing(self):
        process = self.start()
        process.initialize()
        self.run_rounds(process)
        expected = process.state_arrays()
        process.initialize()
        for round_number in range(_ROUNDS):
            os.kill(self.runtime.workers[0].pid, signal.SIGKILL)
            self.run_rounds(process, [round_number])
        self.assert_same(process.state_arrays(), expected)

    def test_evaluation_survives_a_killed_worker(self):
        process = self.start()
        process.initialize()
        self.run_rounds(process)
        expected = process.evaluate(_EVALUATION, _orders(9))
        os.kill(self.runtime.workers[0].pid, signal.SIGKILL)
        self.assertEqual(process.evaluate(_EVALUATION, _orders(9)), expected)

    def test_workers_that_keep_dying_end_with_the_last_state(self):
        dying = _DyingWorker(worker.WorkerOptions(concurrency=1))
        process = self.start([dying])
        process.initialize()
        self.run_rounds(process, range(2))
        saved = process.state_arrays()
        dying.dies = True
        os.kill(dying.pid, signal.SIGKILL)
        with self.assertRaisesRegex(errors.RuntimeFailure, "3 times in a row") as caught:
            process.next(_orders(2))
        self.assertEqual(caught.exception.rounds, 2)
        self.assert_same(caught.exception.state, saved)

    def test_a_worker_that_dies_while_the_state_is_copied_leaves_the_older_copy(self):
        """What clients kept goes back as far as the state does, and no less."""
        clients = _RememberingClients()
        process = self.start(clients=clients)
        with mock.patch.object(state_arrays, "fetch", wraps=state_arrays.fetch) as fetch:
            process.initialize()
            self.run_rounds(process, range(1, 3))
            saved = process.state_arrays()
            self.run_rounds(process, range(3, 4))
            fetch.side_effect = errors.WorkerLostError("in the midst of a copy")
            with self.assertRaises(errors.RuntimeFailure) as caught:
                process.state_arrays()
            self.assertEqual(caught.exception.rounds, 2)
            self.assert_same(caught.exception.state, saved)
            self.assertEqual(clients.went_back, [2])
            fetch.side_effect = None
            process.initialize()
            self.run_rounds(process, range(1, 2))
            fetch.side_effect = errors.WorkerLostError("in the midst of a copy")
            with self.assertRaises(errors.RuntimeFailure) as caught:
                process.state_arrays()
            self.assertEqual(caught.exception.rounds, 0)
            self.assertEqual(clients.went_back, [2, 0])

    def test_a_worker_that_cannot_be_started_ends_it_at_once(self):
        unable = _UnableWorker(worker.WorkerOptions(concurrency=1))
        process = self.start([unable])
        process.initialize()
        self.run_rounds(process, range(1))
        saved = process.state_arrays()
        unable.fails = True
        os.kill(unable.pid, signal.SIGKILL)
        with self.assertRaisesRegex(errors.RuntimeFailure, "no more processes") as caught:
            process.next(_orders(1))
        self.assertEqual(caught.exception.rounds, 1)
        self.assert_same(caught.exception.state, saved)


class _RememberingClients(client_states.OrdersAlone):
    """Clients that keep nothing, but know of what round that is."""

    def __init__(self):
        self._last = 0
        self.went_back: list[int] = []

    def completed(self, orders):
        self._last = orders[0].round

    @property
    def last_round(self):
        return self._last

    def restore(self, arrays):
        self._last = 0

    def go_back(self, round_number):
        self._last = round_number
        self.went_back.append(round_number)


class _UnableWorker(worker.LocalWorker):
    """A worker that cannot be started any more, once `fails` is set."""

    fails = False

    def start(self):
        if self.fails and not self.alive():
            raise errors.WorkerStartError("no more processes")
        super().start()


class _DyingWorker(worker.LocalWorker):
    """A worker that dies as soon as it has started, once `dies` is set."""

    dies = False

    def start(self):
        super().start()
        if self.dies:
            os.kill(self.pid, signal.SIGKILL)


if __name__ == "__main__":
    absltest.main()
