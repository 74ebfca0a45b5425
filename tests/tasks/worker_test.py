"""Batches as TFF's own worker process makes them, which has TensorFlow's core operations only."""

import tempfile

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff
from absl.testing import absltest

from tasks import batching
from tasks.batching import BatchSpec
from tests import stock_tff
from tests.tasks import fixtures
from tff_lm.client_order import NOBODY, ClientOrder

_CLIENTS = [ClientOrder(0, 1, "a").encode(), NOBODY, ClientOrder(0, 1, "b").encode()]


class WorkerTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        sentences = fixtures.numbered_sentences([3, 7, 1, 12, 2, 2, 5, 9, 30, 4, 2])
        path = fixtures.write_store(folder, {"a": sentences, "b": sentences[:5]})
        spec = BatchSpec(batch_size=4)
        cls.dataset_fn = staticmethod(batching.make_dataset_fn(path, "train", spec))
        cls.enterClassContext(stock_tff.own_worker())

    def expected(self, client: str) -> list:
        return list(self.dataset_fn(tf.constant(client)).as_numpy_iterator())

    def test_a_sequence_of_batches(self):
        computation = tff.tensorflow.computation(self.dataset_fn, np.str_)
        batch_type = tff.types.tensorflow_to_type(batching.element_spec())
        self.assertEqual(computation.type_signature.result.element, batch_type)
        for client in _CLIENTS:
            batches, expected = list(computation(client)), self.expected(client)
            self.assertLen(batches, len(expected))
            for actual, batch in zip(batches, expected, strict=True):
                for name in ("x", "y", "seed"):
                    np.testing.assert_array_equal(actual[name], batch[name])

    def test_ids_are_all_that_a_federated_round_ships(self):
        @tff.tensorflow.computation(np.str_)
        @tf.function
        def sum_of_targets(client):
            total = tf.zeros([], tf.int32)
            for batch in self.dataset_fn(client):
                total += tf.reduce_sum(batch["y"])
            return total

        @tff.federated_computation(tff.FederatedType(np.str_, tff.CLIENTS))
        def round_of_sums(clients):
            return tff.federated_sum(tff.federated_map(sum_of_targets, clients))

        expected = sum(batch["y"].sum() for client in _CLIENTS for batch in self.expected(client))
        self.assertGreater(expected, 0)
        self.assertEqual(round_of_sums(_CLIENTS), expected)

    def test_a_malformed_spec_is_named(self):
        computation = tff.tensorflow.computation(self.dataset_fn, np.str_)
        with self.assertRaisesRegex(Exception, "seed/round/client id"):
            list(computation("not a spec"))


if __name__ == "__main__":
    absltest.main()
