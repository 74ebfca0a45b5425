"""Every algorithm with a lossy codec in both directions and variables drawn by each client."""

# bazel: size = large

from tests.tff_lm.learning import fixtures  # isort: skip

import functools

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff
from absl.testing import absltest, parameterized

from compression import make_codec
from compression.aggregation import UpdateAggregator
from compression.broadcast import build_compressed_broadcast
from compression.interop import with_weights
from compression.ledger import CommunicationLedger
from compression.registry import CLIENT_TRANSFORMS, RULES, SUM_TRANSFORMS
from tff_lm.learning import partial
from tff_lm.learning.options import PartialOptions
from tff_lm.learning.partial import trained_mask
from tff_lm.learning.registry import ALGORITHMS
from tff_lm.program import traffic
from tff_lm.runtime.rounds import round_form

_CLIENTS = (1, 2, 3)
_SIZES = np.array([65, 25, 65, 13])  # of the variables of TinyModel
_MIN_ELEMENTS = 20
_UPLOAD, _DOWNLOAD = make_codec("uniform", bits=4), make_codec("uniform", bits=8)
# What an algorithm moves beside the update, and beside the model: tensors for each variable.
_GRADIENTS = {"mime_lite": 1, "mime": 1, "scaffold": 1}
_SHARED = {"mime_lite": 1, "mime": 2, "scaffold": 1}  # slots of momentum, and c


def _bits(codec) -> np.ndarray:
    """Of each variable's payload, whose size does not depend on the values."""

    def bits(size):
        if size < _MIN_ELEMENTS:
            return 32 * size
        return int(codec.payload_bits(codec.encode(tf.ones([size]), tf.zeros([2], tf.int32))))

    return np.array([bits(size) for size in _SIZES])


@functools.cache
def _model():
    options = PartialOptions("per_client_per_round", 0.5, min_size=1)
    return partial.build_client_model(fixtures.TinyModel, fixtures.STARTS_WORD, options)


@functools.cache
def _round(name):
    """The process, the state after a round, and the metrics of its passes."""
    model = _model()
    distribute = functools.partial(
        build_compressed_broadcast,
        codec=_DOWNLOAD,
        min_elements=_MIN_ELEMENTS,
    )
    process = fixtures.process(
        model,
        name=name,
        client_optimizer="sgd" if name == "scaffold" else "momentum",
        learning={"local_epochs": 2, "population": 10},
        parts={
            "aggregator": UpdateAggregator(_UPLOAD, min_elements=_MIN_ELEMENTS),
            "distributor": distribute(model.partition.weights_type()),
            "build_state_distributor": distribute,
        },
    )
    cohort = fixtures.with_states(process, fixtures.cohort(*_CLIENTS))
    outputs = fixtures.run(process, [cohort] * ALGORITHMS[name].passes)
    return process, outputs[-1][0], [metrics for _, metrics in outputs]


class CompositionTest(parameterized.TestCase):
    @parameterized.parameters(*fixtures.algorithms_of_their_own())
    def test_a_round_trains(self, name):
        process, state, passes = _round(name)
        rows = np.asarray(passes[-1]["client_work"]["per_client"])
        np.testing.assert_array_equal(fixtures.column(rows, "non_finite"), 0)
        np.testing.assert_array_equal(fixtures.column(rows, "batches"), 6)
        start = fixtures.trainable(process, process.initialize())
        masks = np.array([trained_mask(_model(), 0, [client, 7]) for client in _CLIENTS])
        self.assertFalse(masks.all())
        moved = [
            not np.array_equal(a, b)
            for a, b in zip(start, fixtures.trainable(process, state), strict=True)
        ]
        np.testing.assert_array_equal(moved, masks.any(axis=0))

    @parameterized.parameters(*fixtures.algorithms_of_their_own())
    def test_the_ledger_counts_all_that_travels_at_its_packed_size(self, name):
        _, _, passes = _round(name)
        masks = np.array([trained_mask(_model(), 0, [client, 7]) for client in _CLIENTS])
        sent = (_bits(_UPLOAD) * masks).sum()
        received = _bits(_DOWNLOAD).sum() * len(_CLIENTS)
        self.assertLess(_bits(_UPLOAD).sum(), _bits(_DOWNLOAD).sum())
        figures = traffic.record(CommunicationLedger(_SIZES.sum()), passes, lambda: 0)
        uploads = 1 + _GRADIENTS.get(name, 0)
        downloads = len(passes) * (1 + _SHARED.get(name, 0))
        self.assertEqual(figures["upload_bytes"], uploads * sent / 8)
        self.assertEqual(figures["download_bytes"], downloads * received / 8)

    @parameterized.parameters("fed_avg", "mime_lite")
    def test_a_round_with_parts_of_every_kind_splits(self, name):
        aggregator = UpdateAggregator(
            _UPLOAD,
            client_transforms=[make() for make in CLIENT_TRANSFORMS.values()],
            rule=RULES["median"](),
            sum_transforms=[make() for make in SUM_TRANSFORMS.values()],
        )
        process = fixtures.process(_model(), name=name, parts={"aggregator": aggregator})
        form = round_form.compile_next(process.next)
        self.assertEqual(
            form.metrics_type["aggregator"]["clipped_clients"], tff.TensorType(np.int32)
        )

    def test_an_aggregator_of_tff_serves_the_learning_process(self):
        """Its mean is that of ours, but for rounding."""
        model, cohort = fixtures.client_model(), fixtures.cohort(1, 0, 2)
        results = []
        for aggregator in (None, with_weights(tff.aggregators.MeanFactory())):
            process = fixtures.process(model, parts={"aggregator": aggregator})
            ((state, metrics),) = fixtures.run(process, [cohort])
            results.append(fixtures.trainable(process, state))
            self.assertEqual(metrics["aggregator"]["upload_bits"], 2 * 32 * _SIZES.sum())
        for ours, theirs in zip(*results, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


if __name__ == "__main__":
    absltest.main()
