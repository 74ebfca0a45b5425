"""Central training: parts of a batch, AdamW, and going on from a saved state."""

# bazel: size = large

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import dataclasses
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.tff_lm.learning import fixtures
from tff_lm.central import adamw, batch_parts
from tff_lm.central.adamw import AdamW
from tff_lm.central.options import PretrainOptions
from tff_lm.central.runtime import CentralRuntime
from tff_lm.central.trainer import CentralTrainer
from tff_lm.client_order import ClientOrder
from tff_lm.evaluations.adapted import Adapted
from tff_lm.evaluations.global_model import GlobalModel
from tff_lm.learning import freezing, metrics, scoring, weights
from tff_lm.learning.partial import build_client_model
from tff_lm.models import build_model

OPTIONS = PretrainOptions(learning_rate=0.05, warmup=0, decay="constant", weight_decay=0.1)


def batch(number):
    whole = fixtures.random_batches(number + 1, count=1, size=7)[0]
    return {"x": whole["x"], "y": whole["y"]}


# An epsilon at which a gradient's rounding does not matter.
@mock.patch.object(adamw, "EPSILON", 1e-3)
def trainer(parts=2, is_frozen=freezing.nothing, options=OPTIONS, model_fn=fixtures.TinyModel):
    client_model = build_client_model(model_fn, fixtures.STARTS_WORD, is_frozen=is_frozen)
    options = dataclasses.replace(options, parts=parts)
    return CentralTrainer(client_model, options, steps=100, seed=0)


def dropping_model():
    return build_model("transformer_tiny", fixtures.VOCABULARY, dropout=0.3)


class PartsTest(parameterized.TestCase):
    @parameterized.parameters(1, 2, 3, 20)
    def test_parts_hold_each_sentence_once_without_more_padding(self, count):
        whole = batch(0)
        pieces = batch_parts.split(whole, count)
        self.assertLen(pieces, min(count, 7))
        for name in "xy":
            rows = [row[row > 0].tolist() for piece in pieces for row in piece[name]]
            self.assertCountEqual(rows, [row[row > 0].tolist() for row in whole[name]])
        for piece in pieces:
            self.assertTrue(np.any(piece["y"][:, -1]))

    @parameterized.parameters(2, 3, 20)
    def test_a_step_does_not_depend_on_the_parts(self, count):
        one, several = trainer(1), trainer(count)
        for number in range(3):
            rows = [each.train_step(batch(number)) for each in (one, several)]
            # All but the positions, of which parts of short sentences have fewer, and the batches.
            np.testing.assert_allclose(rows[0][:6], rows[1][:6], rtol=1e-5)
        for name, array in one.state_arrays().items():
            np.testing.assert_allclose(several.state_arrays()[name], array, atol=2e-5)


class AdamWTest(absltest.TestCase):
    def test_two_steps_by_hand(self):
        matrix, vector = tf.Variable([[1.0, -2.0]]), tf.Variable([3.0])
        optimizer = AdamW(
            [matrix, vector],
            PretrainOptions(
                learning_rate=0.1, warmup=0, final_factor=0.0, weight_decay=0.5, clip_norm=5.0
            ),
            steps=2,
        )
        # Norms 13 and 0.5: the first is clipped to 5.
        for step, (first, second) in enumerate([([[3.0, 4.0]], [12.0]), ([[0.3, 0.4]], [0.0])]):
            optimizer.apply([tf.constant(first), tf.constant(second)], tf.constant(step))
        for variable, initial, gradients, decay in (
            (matrix, [[1.0, -2.0]], ([[15 / 13, 20 / 13]], [[0.3, 0.4]]), 0.5),
            (vector, [3.0], ([60 / 13], [0.0]), 0.0),
        ):
            value, m, v = np.array(initial), 0.0, 0.0
            for step, (given, rate) in enumerate(zip(gradients, (0.1, 0.05), strict=True), 1):
                gradient = np.array(given)
                m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
                value = value * (1 - rate * decay)
                corrected = m / (1 - 0.9**step), v / (1 - 0.999**step)
                value = value - rate * corrected[0] / (np.sqrt(corrected[1]) + 1e-7)
            np.testing.assert_allclose(variable.numpy(), value, rtol=1e-4)


class CentralTrainerTest(parameterized.TestCase):
    def test_training_learns(self):
        learner = trainer()
        losses = [learner.train_step(batch(0))[0] for _ in range(30)]
        self.assertLess(losses[-1], 0.5 * losses[0])

    @parameterized.parameters(fixtures.TinyModel, dropping_model)
    def test_a_restored_state_goes_on_bit_for_bit(self, model_fn):
        whole, first, second = (trainer(model_fn=model_fn) for _ in range(3))
        for number in range(5):
            whole.train_step(batch(number))
        for number in range(2):
            first.train_step(batch(number))
        second.train_step(batch(9))
        second.restore(first.state_arrays())
        self.assertEqual(second.steps, 2)
        for number in range(2, 5):
            second.train_step(batch(number))
        expected = whole.state_arrays()
        for name, array in second.state_arrays().items():
            self.assertEqual(array.tobytes(), expected[name].tobytes(), name)

    def test_reset_is_the_beginning(self):
        learner = trainer()
        initial = learner.state_arrays()
        learner.train_step(batch(0))
        self.assertNotEqual(initial["step"], learner.state_arrays()["step"])
        learner.reset()
        for name, array in learner.state_arrays().items():
            self.assertEqual(array.tobytes(), initial[name].tobytes(), name)

    def test_what_is_frozen_stays_bit_for_bit_and_has_no_state(self):
        learner = trainer(is_frozen=lambda name, shape: name.startswith("hidden"))
        before = learner.state_arrays()
        for number in range(3):
            learner.train_step(batch(number))
        after = learner.state_arrays()
        frozen = "weights/hidden/kernel"
        self.assertEqual(after[frozen].tobytes(), before[frozen].tobytes())
        for name in before.keys() - {frozen}:
            self.assertFalse(np.array_equal(after[name], before[name]), name)
        self.assertEmpty([name for name in after if name.startswith("optimizer/0/hidden")])

    def test_evaluation_adds_up_the_batches_of_each_client(self):
        learner = trainer()

        def dataset_fn(spec):
            del spec
            return fixtures.dataset(fixtures.random_batches(1) + fixtures.random_batches(2))

        (rows,) = learner.evaluator(GlobalModel(), [dataset_fn])(["a", "b", "c"])
        model = fixtures.TinyModel()
        expected = sum(
            scoring.score_batch(model, each, fixtures.STARTS_WORD).row.numpy()
            for client in (1, 2)
            for each in fixtures.random_batches(client)
        )
        self.assertEqual(rows.shape, (3, metrics.NUM_METRICS))
        for row in rows:
            np.testing.assert_allclose(row, expected, rtol=1e-5)

    def test_an_evaluation_that_trains_leaves_the_weights(self):
        learner = trainer()
        weights = learner.state_arrays()

        def first(spec):
            del spec
            return fixtures.dataset(fixtures.random_batches(1))

        def rest(spec):
            del spec
            return fixtures.dataset(fixtures.random_batches(2))

        evaluate = learner.evaluator(Adapted(learning_rate=0.3), [first, rest])
        adapted, before = evaluate(["a", "b", "a"])
        (untouched,) = learner.evaluator(GlobalModel(), [rest])(["a"])
        np.testing.assert_array_equal(before, np.repeat(untouched, 3, axis=0))
        np.testing.assert_array_equal(adapted, np.repeat(adapted[:1], 3, axis=0))
        self.assertEqual(adapted.shape, (3, metrics.NUM_METRICS))
        model = fixtures.TinyModel()
        for each in fixtures.random_batches(1):
            _, gradients = scoring.score_and_gradients(
                model, model.trainable_variables, each, fixtures.STARTS_WORD
            )
            for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
                variable.assign_sub(0.3 * gradient)
        expected = sum(
            scoring.score_batch(model, each, fixtures.STARTS_WORD).row.numpy()
            for each in fixtures.random_batches(2)
        )
        np.testing.assert_allclose(adapted[0], expected, rtol=1e-5)
        for name, array in learner.state_arrays().items():
            np.testing.assert_array_equal(array, weights[name])


class CentralRuntimeTest(absltest.TestCase):
    def runtime(self):
        seen = []

        def numbered(step):
            seen.append(step)
            return batch(step)

        return CentralRuntime(trainer(), numbered, steps_per_round=3, total_steps=7), seen

    def test_rounds_are_steps_and_the_last_is_cut(self):
        runtime, seen = self.runtime()
        runtime.initialize()
        rows = []
        for number in (1, 2, 3):
            result = runtime.next([ClientOrder(0, number, "everybody")])
            rows.append(metrics.totals(result["client_work"]["per_client"]))
        self.assertEqual(seen, list(range(7)))
        # Two parts a batch.
        self.assertEqual([row["batches"] for row in rows], [6, 6, 2])
        self.assertEqual([row["examples"] for row in rows], [21, 21, 7])

    def test_a_round_out_of_turn_is_refused(self):
        runtime, _ = self.runtime()
        with self.assertRaisesRegex(ValueError, "round 2 does not follow step 0"):
            runtime.next([ClientOrder(0, 2, "everybody")])


class FreezingTest(absltest.TestCase):
    def test_freezing_everything_is_refused(self):
        partition = weights.full_partition(fixtures.TinyModel)
        with self.assertRaisesRegex(ValueError, "hidden/kernel.* frozen: nothing is left"):
            freezing.freeze(partition, lambda name, shape: True)


if __name__ == "__main__":
    absltest.main()
