import collections
import os

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # inherited by the worker

import numpy as np
import tensorflow_federated as tff
from absl.testing import absltest, parameterized

from compression import make_codec
from compression.broadcast import build_compressed_broadcast
from tests import stock_tff  # noqa: F401  (ends TFF's worker)

MODEL_TYPE = tff.to_type(
    tff.learning.models.ModelWeights(
        trainable=[tff.TensorType(np.float32, [64, 64]), tff.TensorType(np.float32, [5])],
        non_trainable=[tff.TensorType(np.float32, [2000]), tff.TensorType(np.int32, [3])],
    )
)


def model(seed=0):
    rng = np.random.default_rng(seed)
    return tff.learning.models.ModelWeights(
        trainable=[rng.normal(size=[64, 64]).astype("f"), rng.normal(size=[5]).astype("f")],
        non_trainable=[rng.normal(size=[2000]).astype("f"), np.array([1, 2, 3], np.int32)],
    )


def received(process, value, state=0, clients=2):
    """What each of several clients gets, the next state and the measurements."""

    @tff.tensorflow.computation(MODEL_TYPE, tff.SequenceType(np.int32))
    def keep(weights, data):
        del data
        return weights

    @tff.federated_computation(
        process.next.type_signature.parameter[0],
        process.next.type_signature.parameter[1],
        tff.FederatedType(tff.SequenceType(np.int32), tff.CLIENTS),
    )
    def run(state, value, data):
        output = process.next(state, value)
        clients = tff.federated_map(keep, (output.result, data))
        return output.state, clients, output.measurements

    return run(state, value, [[0]] * clients)


class BroadcastTest(parameterized.TestCase):
    @parameterized.parameters("identity", "uniform", "drive", "rotated")
    def test_type_signature(self, name):
        process = build_compressed_broadcast(MODEL_TYPE, make_codec(name))
        self.assertIsInstance(process, tff.learning.templates.DistributionProcess)
        signature = process.next.type_signature
        self.assertEqual(signature.result.result.member, MODEL_TYPE)
        measurements = collections.OrderedDict(
            download_bits=np.int64, download_bits_per_variable=tff.TensorType(np.int64, [4])
        )
        self.assertEqual(signature.result.measurements, tff.FederatedType(measurements, tff.SERVER))

    def test_all_calls_of_a_round_send_one_model(self):
        process = build_compressed_broadcast(MODEL_TYPE, make_codec("drive"), calls_per_round=2)
        state, sent = process.initialize(), []
        for _ in range(3):
            state, clients, _ = received(process, model(), state)
            sent.append(np.asarray(clients[0].trainable[0]))
        np.testing.assert_array_equal(sent[0], sent[1])
        self.assertFalse(np.array_equal(sent[1], sent[2]))

    def test_identity_sends_the_model_as_it_is(self):
        process = build_compressed_broadcast(MODEL_TYPE, make_codec("identity"))
        self.assertTrue(process.next.type_signature.result.result.all_equal)
        weights = model()
        state, clients, measurements = received(process, weights)
        self.assertEqual(state, 1)
        np.testing.assert_array_equal(clients[1].trainable[0], weights.trainable[0])
        np.testing.assert_array_equal(
            measurements["download_bits_per_variable"], [32 * 4096, 160, 32 * 2000, 96]
        )
        self.assertEqual(measurements["download_bits"], 32 * (4096 + 5 + 2000 + 3))

    def test_all_clients_decode_the_same_model(self):
        process = build_compressed_broadcast(MODEL_TYPE, make_codec("uniform", bits=8))
        weights = model()
        _, clients, measurements = received(process, weights)
        first, second = clients
        np.testing.assert_array_equal(first.trainable[0], second.trainable[0])
        step = (weights.trainable[0].max() - weights.trainable[0].min()) / 255
        error = np.abs(first.trainable[0] - weights.trainable[0])
        self.assertLess(error.max(), step * 1.001)
        self.assertGreater(error.max(), 0.0)
        np.testing.assert_array_equal(first.trainable[1], weights.trainable[1])  # small
        np.testing.assert_array_equal(first.non_trainable[1], [1, 2, 3])  # not a float
        np.testing.assert_array_equal(
            measurements["download_bits_per_variable"],
            [8 * 4096 + 64, 160, 8 * 2000 + 64, 96],
        )

    def test_noise_follows_from_seed_and_round(self):
        codec = make_codec("drive")
        process = build_compressed_broadcast(MODEL_TYPE, codec, seed=3)
        other = build_compressed_broadcast(MODEL_TYPE, codec, seed=4)
        weights = model()
        first, again, later, elsewhere = (
            received(each, weights, state)[1][0].trainable[0]
            for each, state in ((process, 0), (process, 0), (process, 1), (other, 0))
        )
        np.testing.assert_array_equal(first, again)
        self.assertGreater(np.max(np.abs(first - later)), 0.0)
        self.assertGreater(np.max(np.abs(first - elsewhere)), 0.0)

    @parameterized.named_parameters(
        ("identity", make_codec("identity"), [32 * 4096, 160, 32 * 2000, 96]),
        ("uniform", make_codec("uniform", bits=8), [8 * 4096 + 64, 160, 8 * 2000 + 64, 96]),
        ("drive", make_codec("drive"), None),
        ("entropy", make_codec("entropy", inner="terngrad", min_levels=1), None),
        ("random_k", make_codec("random_k"), None),
    )
    def test_constants_are_the_same_in_every_round_and_measured_apart(self, codec, bits):
        process = build_compressed_broadcast(MODEL_TYPE, codec, seed=3, constants=[2, 3])
        plain = build_compressed_broadcast(MODEL_TYPE, codec, seed=3)
        weights = model()
        rounds = [received(process, weights, state) for state in (0, 1, 7)]
        _, plain_clients, plain_measured = received(plain, weights, 1)
        trained = rounds[1][1][0].trainable
        np.testing.assert_array_equal(trained[0], plain_clients[0].trainable[0])
        for _, clients, measured in rounds:
            for client in clients:
                for one, other in zip(
                    client.non_trainable, rounds[0][1][0].non_trainable, strict=True
                ):
                    np.testing.assert_array_equal(one, other)
            np.testing.assert_array_equal(client.non_trainable[1], [1, 2, 3])
            every, once = (
                measured[f"{name}_bits_per_variable"] for name in ("download", "first_download")
            )
            np.testing.assert_array_equal(every[2:], 0)
            np.testing.assert_array_equal(once[:2], 0)
            self.assertEqual(measured["download_bits"], every.sum())
            self.assertEqual(measured["first_download_bits"], once.sum())
            if bits is not None:
                np.testing.assert_array_equal(every + once, bits)
            np.testing.assert_array_equal(once, rounds[0][2]["first_download_bits_per_variable"])
        # The trained part is sent as it is without constants.
        np.testing.assert_array_equal(
            rounds[1][2]["download_bits_per_variable"][:2],
            plain_measured["download_bits_per_variable"][:2],
        )
        if not codec.is_lossless:
            later = received(process, weights, 7)[1][0].trainable[0]
            self.assertGreater(np.max(np.abs(trained[0] - later)), 0.0)

    def test_constants_must_be_there(self):
        with self.assertRaisesRegex(ValueError, r"constants \[4\]: there are 4 tensors"):
            build_compressed_broadcast(MODEL_TYPE, make_codec("identity"), constants=[3, 4])

    def test_nothing_takes_no_bits(self):
        """Mime shares its optimizer's state, of which plain SGD has none."""
        process = build_compressed_broadcast(tff.to_type([]), make_codec("uniform"))
        measured = process.next.type_signature.result.measurements.member
        self.assertEqual(measured["download_bits"], tff.TensorType(np.int64))

    def test_bad_type_is_refused(self):
        with self.assertRaisesRegex(TypeError, "Only structures of tensors"):
            build_compressed_broadcast(
                tff.to_type([tff.SequenceType(np.float32)]), make_codec("identity")
            )


if __name__ == "__main__":
    absltest.main()
