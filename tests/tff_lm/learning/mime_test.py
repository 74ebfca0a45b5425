"""MimeLite against TFF's, Mime against central training and by hand."""

# bazel: size = large

from tests.tff_lm.learning import fixtures  # isort: skip

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff
from absl.testing import absltest, parameterized

from tff_lm.program import rejections

_OPTIMIZERS = tff.learning.optimizers
_COHORTS = [(1, 2, 0), (3, 4), (5,)]
_NAMES = {"sgd": "sgd", "momentum": "momentum", "adam": "adam(epsilon=0.001)"}
_BASE = {
    "sgd": _OPTIMIZERS.build_sgdm(0.2),
    "momentum": _OPTIMIZERS.build_sgdm(0.2, 0.9),
    "adam": _OPTIMIZERS.build_adam(0.2, 0.9, 0.999, 1e-3),
}


def _build(**options):
    return fixtures.process(**options)


def _assert_close(actual, expected):
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)


def _central_training(client: int, rounds: int, optimizer) -> list[np.ndarray]:
    """Full-batch steps of TFF's optimizer on one client's text."""
    model = fixtures.ReferenceModel()
    weights = tuple(model.trainable_variables)
    batch = fixtures.random_batches(client, count=1)[0]
    state = optimizer.initialize(tf.nest.map_structure(lambda v: tf.TensorSpec(v.shape), weights))
    for _ in range(rounds):
        with tf.GradientTape() as tape:
            loss = model.forward_pass(batch).loss
        gradients = tuple(tf.convert_to_tensor(g) for g in tape.gradient(loss, weights))
        state, new = optimizer.next(state, tuple(w.read_value() for w in weights), gradients)
        for variable, value in zip(weights, new, strict=True):
            variable.assign(value)
    return [w.numpy() for w in weights]


def _average(structures, weights) -> list[np.ndarray]:
    """The weighted mean of lists of arrays."""
    return [np.average(same, axis=0, weights=weights) for same in zip(*structures, strict=True)]


class MimeTest(parameterized.TestCase):
    @parameterized.product(name=("momentum", "adam"), epochs=(1, 2))
    def test_mime_lite_equals_tff(self, name, epochs):
        """TFF has no option for epochs; a client's data repeated has the same full gradient."""
        reference = tff.learning.algorithms.build_weighted_mime_lite(
            fixtures.ReferenceModel, _BASE[name]
        )
        ours = _build(
            name="mime_lite",
            client_optimizer=_NAMES[name],
            client_learning_rate=0.2,
            learning={"local_epochs": epochs},
        )
        data = [fixtures.cohort(*clients) for clients in _COHORTS]
        repeated = [[client.repeat(epochs) for client in cohort] for cohort in data]
        for (state, _), (their_state, _) in zip(
            fixtures.run(ours, data), fixtures.run(reference, repeated), strict=True
        ):
            _assert_close(
                fixtures.trainable(ours, state), fixtures.trainable(reference, their_state)
            )

    @parameterized.parameters("sgd", "momentum", "adam")
    def test_mime_with_one_client_and_one_batch_is_central_training(self, name):
        process = _build(name="mime", client_optimizer=_NAMES[name], client_learning_rate=0.2)
        data = [fixtures.cohort(4, count=1)] * 6  # three rounds of two passes
        outputs = fixtures.run(process, data)
        central = _central_training(4, 3, _BASE[name])
        _assert_close(fixtures.trainable(process, outputs[-1][0]), central)

    def test_full_gradient_sees_the_data_once_whatever_the_epochs(self):
        process = _build(name="mime", learning={"local_epochs": 3})
        cohort = fixtures.cohort(1, 2)
        rows = [fixtures.per_client(output) for output in fixtures.run(process, [cohort, cohort])]
        np.testing.assert_array_equal(fixtures.column(rows[0], "batches"), [3, 3])
        np.testing.assert_array_equal(fixtures.column(rows[1], "batches"), [9, 9])

    def test_first_pass_leaves_model_and_second_is_corrected(self):
        """w -= rate * (g(w) - g(w0) + c) by hand, at one client with three batches."""
        process = _build(name="mime", client_learning_rate=0.2)
        cohort = fixtures.cohort(1, 0)
        first, second = fixtures.run(process, [cohort, cohort])
        start = fixtures.trainable(process, process.initialize())
        for a, b in zip(start, fixtures.trainable(process, first[0]), strict=True):
            np.testing.assert_array_equal(a, b)
        batches = fixtures.random_batches(1)
        tokens = [np.count_nonzero(batch["y"]) for batch in batches]
        anchors = [fixtures.gradients(start, batch) for batch in batches]
        control = _average(anchors, tokens)
        weights = start
        for batch, anchor in zip(batches, anchors, strict=True):
            terms = zip(weights, fixtures.gradients(weights, batch), anchor, control, strict=True)
            weights = [w - 0.2 * (g - g0 + c) for w, g, g0, c in terms]
        _assert_close(fixtures.trainable(process, second[0]), weights)

    def test_a_mean_gradient_that_leaves_the_range_is_told_and_not_used(self):
        process = _build(name="mime", parts={"shared_aggregator": fixtures.overflowing()})
        cohort = fixtures.cohort(1, 2)
        first, second = fixtures.run(process, [cohort, cohort])
        lost = [metrics["client_work"]["shared_non_finite"] for _, metrics in (first, second)]
        self.assertEqual(lost, [1, 0])
        self.assertEqual(rejections.clients([first[1], second[1]], 0.0), 2.0)
        for c in first[0].client_work["coded"]["control"]:
            np.testing.assert_array_equal(c, 0.0)
        self.assertTrue(np.all(np.isfinite(fixtures.trainable(process, second[0])[0])))

    def test_uploads_are_measured_in_the_pass_that_makes_them(self):
        process = _build(name="mime", client_optimizer="momentum")
        cohort = fixtures.cohort(1, 2)
        (_, first), (_, second) = fixtures.run(process, [cohort, cohort])
        sizes = sum(w.size for w in fixtures.trainable(process, process.initialize()))

        def gradient_bits(output):
            return output["client_work"]["shared_aggregator"]["upload_bits"]

        self.assertEqual(gradient_bits(first), 2 * 32 * sizes)
        self.assertEqual(first["aggregator"]["upload_bits"], 0)
        self.assertEqual(gradient_bits(second), 0)
        self.assertEqual(second["aggregator"]["upload_bits"], 2 * 32 * sizes)


if __name__ == "__main__":
    absltest.main()
