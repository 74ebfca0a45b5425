"""Masks, and what partial training does to models and uploads."""

from tests.tff_lm.learning import fixtures  # isort: skip

import functools

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tff_lm.learning import partial
from tff_lm.learning.algorithms import AlgorithmOptions
from tff_lm.learning.build import build_learning_process
from tff_lm.learning.partial import PartialOptions, trained_mask
from tff_lm.models import build_model

# TinyModel: embeddings 65, hidden 25, output 65, bias 13 parameters: 168 in all.
_SIZES = np.array([65, 25, 65, 13])
_RANDOM = ("per_round", "per_client_per_round", "rolling")


def _model(policy, fraction=0.5, seed=0, **options):
    options = PartialOptions(policy, fraction, min_size=1, **options)
    return partial.build_client_model(fixtures.TinyModel, fixtures.STARTS_WORD, options, seed)


def _transformer(policy, fraction, seed=0):
    return partial.build_client_model(
        lambda: build_model("transformer_tiny", 40), [True] * 40,
        PartialOptions(policy, fraction, min_size=256), seed,
    )  # fmt: skip


def _process(client_model, **options):
    return build_learning_process(
        client_model, AlgorithmOptions(client_learning_rate=0.2, **options)
    )


class MaskTest(parameterized.TestCase):
    @parameterized.product(policy=("fixed", *_RANDOM), fraction=(0.4, 0.7, 1.0))
    def test_trained_fraction_is_within_one_variable_of_the_target(self, policy, fraction):
        model = _transformer(policy, fraction)
        sizes = np.array([np.prod(shape) for shape in model.partition.shapes])
        for client in range(5):
            mask = trained_mask(model, client, [client, 1])
            error = abs(sizes[mask].sum() - fraction * sizes.sum())
            self.assertLessEqual(error, sizes.max())
            small = sizes < 256
            self.assertTrue(mask[small].all())
            self.assertEqual(mask.all(), fraction == 1.0)

    def test_masks_differ_where_they_should_and_repeat(self):
        def masks(policy, seed=0):
            model = _transformer(policy, 0.5, seed)
            return [[trained_mask(model, r, [c, r]).tobytes() for c in range(4)] for r in range(6)]

        for policy in _RANDOM:
            self.assertEqual(masks(policy), masks(policy))
            rounds = masks(policy)
            self.assertGreater(len({clients[0] for clients in rounds}), 1)
            differ = any(len(set(clients)) > 1 for clients in rounds)
            self.assertEqual(differ, policy == "per_client_per_round")
        self.assertNotEqual(masks("per_round", seed=0), masks("per_round", seed=1))

    def test_rolling_window_trains_every_variable_equally_often(self):
        model = _model("rolling")
        rounds = [trained_mask(model, r, [0, 0]) for r in range(3)]
        np.testing.assert_array_equal(np.sum(rounds, axis=0)[3], 3)
        self.assertTrue(np.any(rounds, axis=0).all())
        self.assertFalse(np.all(rounds, axis=0).all())

    def test_bad_options_are_refused(self):
        with self.assertRaisesRegex(ValueError, "use one of"):
            PartialOptions("some")
        with self.assertRaisesRegex(ValueError, "lie in"):
            PartialOptions("fixed", 1.5)
        with self.assertRaisesRegex(ValueError, "no regular expression"):
            PartialOptions("fixed", 0.5, pattern="(")
        with self.assertRaisesRegex(ValueError, "no matrix"):
            _model("fixed", pattern="nothing")
        with self.assertRaisesRegex(ValueError, "widen the pattern"):
            _model("fixed", 0.1, pattern="hidden")


class PartialTrainingTest(parameterized.TestCase):
    @parameterized.parameters(*_RANDOM)
    def test_fraction_of_one_is_full_training_bit_for_bit(self, policy):
        cohorts = [fixtures.cohort(1, 2, 0)] * 2
        results = []
        for model in (_model("full"), _model(policy, 1.0)):
            process = _process(model)
            results.append(fixtures.trainable(process, fixtures.run(process, cohorts)[-1][0]))
        for full, masked in zip(*results, strict=True):
            np.testing.assert_array_equal(full, masked)

    def test_three_clients_by_hand(self):
        """Each variable is the mean over those that trained it, weighted by their tokens."""
        model = _model("per_client_per_round")
        clients = (1, 2, 3)
        process = _process(model)
        ((state, metrics),) = fixtures.run(process, [fixtures.cohort(*clients)])
        start = fixtures.trainable(process, process.initialize())
        rows = np.asarray(metrics["client_work"]["per_client"])
        tokens = fixtures.column(rows, "tokens")
        masks = np.array([trained_mask(model, 0, [c, 7]) for c in clients])
        self.assertLess(masks[:, :3].sum(), 9)
        deltas = [self._central_delta(c, mask) for c, mask in zip(clients, masks, strict=True)]
        for i, (before, after) in enumerate(
            zip(start, fixtures.trainable(process, state), strict=True)
        ):
            weights = tokens * masks[:, i]
            expected = before
            if weights.sum() > 0:
                total = sum(w * delta[i] for w, delta in zip(weights, deltas, strict=True))
                expected = before - total / weights.sum()
            np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-6)
        bits = np.asarray(metrics["aggregator"]["upload_bits_per_variable"])
        np.testing.assert_array_equal(bits, 32 * _SIZES * masks.sum(axis=0))

    def _central_delta(self, client, mask):
        """Initial minus final weights of plain SGD on the variables of the mask."""
        model = fixtures.ReferenceModel()
        weights = model.trainable_variables
        start = [w.numpy() for w in weights]
        for batch in fixtures.random_batches(client):
            with tf.GradientTape() as tape:
                loss = model.forward_pass(batch).loss
            gradients = tape.gradient(loss, weights)
            for weight, gradient, trained in zip(weights, gradients, mask, strict=True):
                if trained:
                    weight.assign_sub(0.2 * tf.convert_to_tensor(gradient))
        return [a - w.numpy() for a, w in zip(start, weights, strict=True)]

    def test_untrained_variable_keeps_value_and_moments(self):
        process = _process(_model("per_round"), name="fed_adam", server_learning_rate=0.1)
        (first, _), (second, metrics) = fixtures.run(process, [fixtures.cohort(1, 2)] * 2)
        before, after = fixtures.trainable(process, first), fixtures.trainable(process, second)
        changed = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
        np.testing.assert_array_equal(changed, trained_mask(_model("per_round"), 1, [0, 0]))
        self.assertIn(False, changed)
        self.assertEqual(metrics["finalizer"]["variables_updated"], sum(changed))
        for i, is_changed in enumerate(changed):
            steps = [np.asarray(s.finalizer["steps"])[i] for s in (first, second)]
            self.assertEqual(steps[1] - steps[0], int(is_changed))
            moments = [[np.asarray(m) for m in s.finalizer["slots"][i]] for s in (first, second)]
            for m, n in zip(*moments, strict=True):
                self.assertEqual(np.array_equal(m, n), not is_changed)

    def test_fixed_subset_equals_a_model_with_those_variables_frozen(self):
        model = _model("fixed")
        process = _process(model)
        state, metrics = fixtures.run(process, [fixtures.cohort(1)])[0]
        mask = trained_mask(model, 0, [0, 0])
        self.assertLess(mask.sum(), 4)
        weights = process.get_model_weights(state)
        self.assertLen(weights.non_trainable, 4 - mask.sum())
        final = model.partition.join(weights)
        initial = model.partition.join(process.get_model_weights(process.initialize()))
        for a, b, delta in zip(initial, final, self._central_delta(1, mask), strict=True):
            np.testing.assert_allclose(np.asarray(b), np.asarray(a) - delta, rtol=1e-4, atol=1e-6)
        self.assertEqual(metrics["aggregator"]["upload_bits"], 32 * _SIZES[mask].sum())

    @parameterized.parameters("lstm_tiny", "transformer_tiny", "conformer_tiny")
    def test_architecture_trains_exactly_its_mask(self, name):
        model = partial.build_client_model(
            functools.partial(build_model, name, fixtures.VOCABULARY, seed=2),
            fixtures.STARTS_WORD,
            PartialOptions("per_client_per_round", 0.5, min_size=200),
        )
        process = _process(model)
        state, _ = fixtures.run(process, [fixtures.cohort(3)])[0]
        start = fixtures.trainable(process, process.initialize())
        mask = trained_mask(model, 0, [3, 7])
        self.assertBetween(mask.sum(), 1, len(mask) - 1)
        for i, (a, b) in enumerate(zip(start, fixtures.trainable(process, state), strict=True)):
            self.assertEqual(not np.array_equal(a, b), mask[i], model.partition.names[i])

    @parameterized.parameters("momentum", "adam")
    def test_masks_work_with_stateful_clients_clipping_and_mime(self, optimizer):
        for name in ("fed_prox", "mime_lite"):
            model = build_learning_process(
                _model("per_client_per_round"),
                AlgorithmOptions(name=name, client_optimizer=optimizer, client_learning_rate=0.1),
            )
            state, metrics = fixtures.run(model, [fixtures.cohort(1, 0, 2)])[0]
            rows = np.asarray(metrics["client_work"]["per_client"])
            np.testing.assert_array_equal(fixtures.column(rows, "non_finite"), 0)
            for weight in fixtures.trainable(model, state):
                self.assertTrue(np.isfinite(weight).all())


if __name__ == "__main__":
    absltest.main()
