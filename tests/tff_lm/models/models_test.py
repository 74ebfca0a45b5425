"""Tests what every model must hold, over the registry: a new model gets them all."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tff_lm.models import MODELS, build_model

TINY = [name for name in MODELS if name.endswith("_tiny")]
VOCABULARY = 50
X = np.array([[1, 5, 6, 7, 8], [1, 9, 10, 0, 0], [1, 0, 0, 0, 0]], np.int32)
Y = np.array([[5, 6, 7, 8, 2], [9, 10, 2, 0, 0], [2, 0, 0, 0, 0]], np.int32)


def _loss_and_gradients(model, x, y, **kwargs):
    with tf.GradientTape() as tape:
        logits, labels = model.score(tf.constant(x), tf.constant(y), **kwargs)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    return loss, [tf.convert_to_tensor(g) for g in gradients]


class SizesTest(parameterized.TestCase):
    @parameterized.parameters(
        ("lstm_small", 4_700_160),
        ("transformer_small", 4_070_400),
        ("lstm_large", 18_782_208),
        ("transformer_large", 20_963_328),
        ("conformer_large", 20_229_632),
    )
    def test_parameters_are_the_papers(self, name, parameters):
        self.assertEqual(build_model(name, 4000).count_params(), parameters)

    def test_every_weight_is_float32_trainable_and_uniquely_named(self):
        for name in TINY:
            model = build_model(name, VOCABULARY, precision="bfloat16")
            names = [v.name for v in model.trainable_variables]
            self.assertLen(set(names), len(model.variables))
            self.assertEqual({v.dtype for v in model.variables}, {tf.float32})

    def test_bad_arguments_are_named(self):
        with self.assertRaisesRegex(
            ValueError, "transformer_smal.*Did you mean 'transformer_small'"
        ):
            build_model("transformer_smal", 4000)
        with self.assertRaisesRegex(ValueError, "precision 'float16'"):
            build_model("lstm_tiny", 4000, precision="float16")
        with self.assertRaisesRegex(ValueError, "dropout"):
            build_model("lstm_tiny", 4000, dropout=1.0)


class BehaviourTest(parameterized.TestCase):
    @parameterized.parameters(*TINY)
    def test_score_equals_call_at_the_real_targets(self, name):
        model = build_model(name, VOCABULARY)
        logits, labels = model.score(tf.constant(X), tf.constant(Y))
        everywhere = model(X).numpy()
        np.testing.assert_allclose(everywhere[Y != 0], logits, atol=1e-5)
        np.testing.assert_array_equal(labels, Y[Y != 0])
        self.assertFalse(np.any(everywhere[Y == 0]))

    @parameterized.parameters(*TINY)
    def test_causal(self, name):
        """Another future token leaves the logits before it as they are, and changes those after."""
        model = build_model(name, VOCABULARY)
        changed = X.copy()
        changed[0, 3] = 20
        before, after = model(X).numpy(), model(changed).numpy()
        np.testing.assert_array_equal(before[0, :3], after[0, :3])
        self.assertFalse(np.allclose(before[0, 3], after[0, 3]))
        self.assertFalse(np.allclose(before[0, 4], after[0, 4]))

    @parameterized.parameters(*TINY)
    def test_a_sentence_does_not_see_its_batch(self, name):
        """The same logits alone and beside other sentences, of any length."""
        model = build_model(name, VOCABULARY)
        together = model(X).numpy()
        for row, length in enumerate((5, 3, 1)):
            alone = model(X[row : row + 1, :length]).numpy()
            np.testing.assert_allclose(together[row : row + 1, :length], alone, atol=1e-5)

    @parameterized.parameters(*TINY)
    def test_padding_adds_nothing_to_loss_or_gradient(self, name):
        model = build_model(name, VOCABULARY)
        wide = [np.pad(ids, [[0, 1], [0, 4]]) for ids in (X, Y)]
        loss, gradients = _loss_and_gradients(model, X, Y)
        wide_loss, wide_gradients = _loss_and_gradients(model, *wide)
        np.testing.assert_allclose(loss, wide_loss, rtol=1e-5)
        for one, other in zip(gradients, wide_gradients, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)

    @parameterized.parameters(*TINY)
    def test_every_variable_learns(self, name):
        model = build_model(name, VOCABULARY)
        _, gradients = _loss_and_gradients(model, X, Y)
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
            self.assertTrue(np.any(gradient.numpy()), variable.name)

    @parameterized.parameters(*TINY)
    def test_initial_weights_depend_on_the_seed_alone(self, name):
        one, same, other = (build_model(name, VOCABULARY, seed=seed) for seed in (3, 3, 4))
        tf.random.set_seed(99)
        for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        self.assertFalse(np.array_equal(one.get_weights()[0], other.get_weights()[0]))

    @parameterized.parameters(*TINY)
    def test_dropout_is_stateless_and_only_in_training(self, name):
        model = build_model(name, VOCABULARY, dropout=0.5)

        def logits(**kwargs):
            return model.score(tf.constant(X), tf.constant(Y), **kwargs)[0].numpy()

        seed, other = tf.constant([1, 2]), tf.constant([1, 3])
        np.testing.assert_array_equal(logits(), logits())
        np.testing.assert_array_equal(
            logits(training=True, seed=seed), logits(training=True, seed=seed)
        )
        self.assertFalse(np.allclose(logits(), logits(training=True, seed=seed)))
        self.assertFalse(
            np.allclose(logits(training=True, seed=other), logits(training=True, seed=seed))
        )
        with self.assertRaisesRegex(ValueError, "stateless seed"):
            logits(training=True)

    @parameterized.parameters(*TINY)
    def test_bfloat16_is_close_to_float32(self, name):
        exact = build_model(name, VOCABULARY)
        rounded = build_model(name, VOCABULARY, precision="bfloat16")
        loss, gradients = _loss_and_gradients(exact, X, Y)
        rounded_loss, rounded_gradients = _loss_and_gradients(rounded, X, Y)
        np.testing.assert_allclose(loss, rounded_loss, rtol=2e-2)
        exact_gradient, rounded_gradient = (
            np.concatenate([np.ravel(g) for g in some]) for some in (gradients, rounded_gradients)
        )
        error = np.linalg.norm(exact_gradient - rounded_gradient) / np.linalg.norm(exact_gradient)
        self.assertLess(error, 0.05)
        self.assertGreater(error, 1e-4)

    @parameterized.parameters(*TINY)
    def test_an_empty_batch_gives_no_targets(self, name):
        nothing = tf.zeros([2, 3], tf.int32)
        logits, labels = build_model(name, VOCABULARY).score(nothing, nothing)
        self.assertEqual(logits.shape, (0, VOCABULARY))
        self.assertEqual(labels.shape, (0,))


if __name__ == "__main__":
    absltest.main()
