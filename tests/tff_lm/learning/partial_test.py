"""Masks, and what partial training does to models and uploads."""

# bazel: size = large

from tests.tff_lm.learning import fixtures  # isort: skip

import functools

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from compression import make_codec
from compression.aggregation import UpdateAggregator
from compression.broadcast import build_compressed_broadcast
from tff_lm.learning import partial
from tff_lm.learning.options import PartialOptions
from tff_lm.learning.partial import trained_mask
from tff_lm.learning.registry import OPTIMIZERS
from tff_lm.models import build_model

# TinyModel: embeddings 65, hidden 25, output 65, bias 13 parameters: 168 in all.
_SIZES = np.array([65, 25, 65, 13])
_TINY = ("lstm_tiny", "transformer_tiny", "conformer_tiny")
_RANDOM = ("per_round", "per_client_per_round", "rolling")


def _model(policy, fraction=0.5, seed=0, **options):
    options = PartialOptions(policy, fraction, min_size=1, **options)
    return partial.build_client_model(fixtures.TinyModel, fixtures.STARTS_WORD, options, seed)


def _named(name, policy, fraction, seed=0, precision="float32", **options):
    return partial.build_client_model(
        functools.partial(build_model, name, fixtures.VOCABULARY, seed=2, precision=precision),
        fixtures.STARTS_WORD,
        PartialOptions(policy, fraction, min_size=200, **options),
        seed,
    )


def _transformer(policy, fraction, seed=0):
    return _named("transformer_tiny", policy, fraction, seed)


def _process(client_model, **options):
    return fixtures.process(client_model, client_learning_rate=0.2, **options)


class MaskTest(parameterized.TestCase):
    @parameterized.product(policy=("fixed", *_RANDOM), fraction=(0.4, 0.7, 1.0))
    def test_trained_fraction_is_within_one_variable_of_the_target(self, policy, fraction):
        model = _transformer(policy, fraction)
        sizes = np.array([np.prod(shape) for shape in model.partition.shapes])
        for client in range(5):
            mask = trained_mask(model, client, [client, 1])
            error = abs(sizes[mask].sum() - fraction * sizes.sum())
            self.assertLessEqual(error, sizes.max())
            small = sizes < 200
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

    @parameterized.product(name=_TINY, fraction=(0.4, 0.7, 1.0))
    def test_bottom_up_trains_the_top_of_the_stack(self, name, fraction):
        model = _named(name, "fixed", fraction, order="bottom_up")
        partition = model.partition
        sizes = np.array([np.prod(shape) for shape in partition.shapes])
        trained = list(partition.trained)
        # A run of variables up to the last: small ones below the lowest matrix are frozen, too.
        self.assertEqual(trained, list(range(trained[0], len(sizes))))
        self.assertGreaterEqual(sizes[trained[0]], 200)
        error = abs(sizes[trained].sum() - fraction * sizes.sum())
        self.assertLessEqual(error, sizes.max())
        self.assertEqual(trained[0] == 0, fraction == 1.0)

    def test_bottom_up_stops_where_the_pattern_does(self):
        """The embedding may not be frozen: it needs every gradient, so the norms train as well."""
        model = _named("transformer_tiny", "fixed", 0.5, order="bottom_up", include="block")
        frozen = [model.partition.names[i] for i in model.partition.frozen]
        self.assertGreater(len(frozen), 1)
        for name in frozen:
            self.assertRegex(name, "block_.*/kernel")
        lowest = min(i for i in model.partition.trained if "kernel" in model.partition.names[i])
        self.assertLess(max(model.partition.frozen), lowest)

    @parameterized.parameters(*_TINY)
    def test_variables_come_in_the_order_of_the_layers(self, name):
        """What `bottom_up` rests on: what comes first in the model comes first among the names."""
        names = _named(name, "full", 1.0).partition.names
        self.assertEqual(names[0], "embedding/embeddings")
        blocks = [n.split("/")[0] for n in names[1:]]
        self.assertEqual(blocks, sorted(blocks))  # block_0, block_1, final_norm
        if name == "conformer_tiny":
            self.assertIn("final_norm", names[-1])

    def test_bad_options_are_refused(self):
        with self.assertRaisesRegex(ValueError, "use one of"):
            PartialOptions("some")
        with self.assertRaisesRegex(ValueError, "lie in"):
            PartialOptions("fixed", 1.5)
        with self.assertRaisesRegex(ValueError, "no regular expression"):
            PartialOptions("fixed", 0.5, include="(")
        with self.assertRaisesRegex(ValueError, "order 'top_down' is unknown"):
            PartialOptions("fixed", 0.5, order="top_down")
        with self.assertRaisesRegex(ValueError, "for the policy 'fixed' alone"):
            PartialOptions("rolling", 0.5, order="bottom_up")
        with self.assertRaisesRegex(ValueError, "no matrix"):
            _model("fixed", include="nothing")
        with self.assertRaisesRegex(ValueError, "widen partial.include"):
            _model("fixed", 0.1, include="hidden")


class PartialTrainingTest(parameterized.TestCase):
    @parameterized.parameters("fixed", *_RANDOM)
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

    @parameterized.parameters(*OPTIMIZERS)
    def test_untrained_variable_keeps_value_and_moments(self, optimizer):
        process = _process(
            _model("per_round"), server_optimizer=optimizer, server_learning_rate=0.1
        )
        (first, _), (second, metrics) = fixtures.run(process, [fixtures.cohort(1, 2)] * 2)
        before, after = fixtures.trainable(process, first), fixtures.trainable(process, second)
        changed = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
        np.testing.assert_array_equal(changed, trained_mask(_model("per_round"), 1, [0, 0]))
        self.assertIn(False, changed)
        self.assertEqual(metrics["finalizer"]["variables_updated"], sum(changed))
        variables = _model("per_round").partition.trained_variables
        described = OPTIMIZERS[optimizer]().for_variables(variables)
        for i, is_changed in enumerate(changed):
            steps = [np.asarray(s.finalizer["steps"])[i] for s in (first, second)]
            self.assertEqual(steps[1] - steps[0], int(is_changed))
            moments = [[np.asarray(m) for m in s.finalizer["slots"][i]] for s in (first, second)]
            self.assertLen(moments[0], len(described.slots(*variables[i][:2])))
            for m, n in zip(*moments, strict=True):
                self.assertEqual(np.array_equal(m, n), not is_changed)

    @parameterized.parameters("momentum", "adam")
    def test_untrained_variable_keeps_the_moments_of_mime(self, optimizer):
        process = _process(_model("per_round"), name="mime_lite", client_optimizer=optimizer)
        (first, _), (second, _) = fixtures.run(process, [fixtures.cohort(1, 2)] * 2)
        mask = trained_mask(_model("per_round"), 1, [0, 0])
        for i, is_trained in enumerate(mask):
            slots = [s.client_work["coded"]["slots"][i] for s in (first, second)]
            for m, n in zip(*slots, strict=True):
                self.assertEqual(np.array_equal(m, n), not is_trained)

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

    @parameterized.parameters(
        ("lstm_tiny", "random"), ("transformer_tiny", "bottom_up"), ("conformer_tiny", "random")
    )
    def test_fixed_subset_with_codecs_equals_a_keras_model_with_frozen_layers(self, name, order):
        """The same weights as Keras' own training, once through the codecs by hand."""
        model = _named(name, "fixed", 0.5, order=order)
        partition = model.partition
        codec = make_codec("uniform", bits=8, stochastic=False)
        parts = {
            "aggregator": UpdateAggregator(codec, min_elements=1),
            "distributor": build_compressed_broadcast(
                partition.weights_type(), codec, min_elements=1, constants=partition.constants
            ),
        }
        process = fixtures.process(model, client_learning_rate=0.2, parts=parts)
        ((state, metrics),) = fixtures.run(process, [fixtures.cohort(1)])
        sizes = np.array([np.prod(shape) for shape in partition.shapes])
        trained, frozen = list(partition.trained), list(partition.frozen)
        self.assertEqual(
            metrics["distributor"]["first_download_bits"], np.sum(8 * sizes[frozen] + 64)
        )
        self.assertEqual(metrics["distributor"]["download_bits"], np.sum(8 * sizes[trained] + 64))
        self.assertEqual(metrics["aggregator"]["upload_bits"], np.sum(8 * sizes[trained] + 64))

        def through(codec, value):
            payload = codec.encode(tf.convert_to_tensor(value), tf.zeros([2], tf.int32))
            return codec.decode(payload, value.shape, tf.zeros([2], tf.int32)).numpy()

        keras = model.model_fn()
        variables = keras.trainable_variables
        start = [v.numpy() for v in variables]
        sent = [through(codec, v) for v in start]
        for variable, value in zip(variables, sent, strict=True):
            variable.assign(value)
        self._train_keras(keras, [variables[i] for i in trained])
        final = partition.join(process.get_model_weights(state))
        for i in frozen:
            np.testing.assert_array_equal(final[i], start[i])
            np.testing.assert_array_equal(variables[i].numpy(), sent[i])
        for i in trained:
            delta = sent[i] - variables[i].numpy()
            # Where the two differ in the last bit, a value may be rounded to the next level.
            step = (delta.max() - delta.min()) / 255
            expected = start[i] - through(codec, delta)
            np.testing.assert_allclose(final[i], expected, atol=1.01 * step + 1e-6)
            differ = np.abs(np.asarray(final[i]) - expected) > 0.5 * step + 1e-6
            self.assertLess(np.mean(differ), 0.02, partition.names[i])

    def _train_keras(self, keras, variables):
        """Keras' SGD on `variables` alone, whatever else is trainable; padding weighs nothing."""
        optimizer = tf.keras.optimizers.legacy.SGD(0.2)
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        for batch in fixtures.random_batches(1):
            with tf.GradientTape() as tape:
                real = (batch["y"] != 0).astype("f")
                # Keras divides by the number of weights, zeros included.
                mean = loss(batch["y"], keras(batch["x"], training=True), real) / real.mean()
            optimizer.apply_gradients(zip(tape.gradient(mean, variables), variables, strict=True))

    @parameterized.parameters(
        ("lstm_tiny", "float32"), ("transformer_tiny", "bfloat16"), ("conformer_tiny", "float32")
    )
    def test_architecture_trains_exactly_its_mask(self, name, precision):
        model = _named(name, "per_client_per_round", 0.5, precision=precision)
        process = _process(model)
        state, _ = fixtures.run(process, [fixtures.cohort(3)])[0]
        start = fixtures.trainable(process, process.initialize())
        mask = trained_mask(model, 0, [3, 7])
        self.assertBetween(mask.sum(), 1, len(mask) - 1)
        for i, (a, b) in enumerate(zip(start, fixtures.trainable(process, state), strict=True)):
            self.assertEqual(not np.array_equal(a, b), mask[i], model.partition.names[i])

    @parameterized.parameters("fed_prox", "mime_lite")
    def test_masks_work_with_stateful_clients_clipping_and_mime(self, name):
        model = fixtures.process(
            _model("per_client_per_round"), name=name, client_optimizer="adam", clip_norm=0.1
        )
        state, metrics = fixtures.run(model, [fixtures.cohort(1, 0, 2)])[0]
        rows = np.asarray(metrics["client_work"]["per_client"])
        np.testing.assert_array_equal(fixtures.column(rows, "non_finite"), 0)
        for weight in fixtures.trainable(model, state):
            self.assertTrue(np.isfinite(weight).all())


if __name__ == "__main__":
    absltest.main()
