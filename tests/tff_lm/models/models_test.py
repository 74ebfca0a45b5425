"""Tests what every model must hold, over the registry: a new model gets them all."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import functools

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tff_lm.models import MODELS, build_model


def _variants(architecture):
    """Suffixes of the variants that there are of a model -> arguments that make it."""
    yield "", {}
    if architecture.scale_invariant:
        yield "_scale_invariant", {"scale_invariant": True}
    if architecture.attends:
        yield "_rotary", {"positions": "rotary"}


# Every tiny model, and every variant of one, by a name: makes it.
TINY = {
    name + suffix: functools.partial(build_model, name, **arguments)
    for name, architecture in MODELS.items()
    if name.endswith("_tiny")
    for suffix, arguments in _variants(architecture)
}
INVARIANT = [name for name in TINY if name.endswith("_scale_invariant")]
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
        for build in TINY.values():
            model = build(VOCABULARY, precision="bfloat16")
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
        with self.assertRaisesRegex(
            ValueError, "conformer_tiny has no scale-invariant.*lstm_small"
        ):
            build_model("conformer_tiny", 4000, scale_invariant=True)
        with self.assertRaisesRegex(ValueError, "dropout"):
            build_model("lstm_tiny", 4000, dropout=1.0)
        with self.assertRaisesRegex(ValueError, "positions 'rotery'. Known: sinusoidal, rotary"):
            build_model("transformer_tiny", 4000, positions="rotery")
        with self.assertRaisesRegex(ValueError, "lstm_tiny reads tokens in order"):
            build_model("lstm_tiny", 4000, positions="rotary")


class BehaviourTest(parameterized.TestCase):
    @parameterized.parameters(*TINY)
    def test_score_equals_call_at_the_real_targets(self, name):
        model = TINY[name](VOCABULARY)
        logits, labels = model.score(tf.constant(X), tf.constant(Y))
        everywhere = model(X).numpy()
        np.testing.assert_allclose(everywhere[Y != 0], logits, atol=1e-5)
        np.testing.assert_array_equal(labels, Y[Y != 0])
        self.assertFalse(np.any(everywhere[Y == 0]))

    @parameterized.parameters(*TINY)
    def test_causal(self, name):
        """Another future token leaves the logits before it as they are, and changes those after."""
        model = TINY[name](VOCABULARY)
        changed = X.copy()
        changed[0, 3] = 20
        before, after = model(X).numpy(), model(changed).numpy()
        np.testing.assert_array_equal(before[0, :3], after[0, :3])
        self.assertFalse(np.allclose(before[0, 3], after[0, 3]))
        self.assertFalse(np.allclose(before[0, 4], after[0, 4]))

    @parameterized.parameters(*TINY)
    def test_order_matters(self, name):
        """What two tokens are followed by depends on which came first."""
        model = TINY[name](VOCABULARY)
        swapped = X.copy()
        swapped[0, 1], swapped[0, 2] = X[0, 2], X[0, 1]
        self.assertFalse(np.allclose(model(X)[0, 3], model(swapped)[0, 3], atol=1e-4))

    @parameterized.parameters(*TINY)
    def test_a_sentence_does_not_see_its_batch(self, name):
        """The same logits alone and beside other sentences, of any length."""
        model = TINY[name](VOCABULARY)
        together = model(X).numpy()
        for row, length in enumerate((5, 3, 1)):
            alone = model(X[row : row + 1, :length]).numpy()
            np.testing.assert_allclose(together[row : row + 1, :length], alone, atol=1e-5)

    @parameterized.parameters(*TINY)
    def test_padding_adds_nothing_to_loss_or_gradient(self, name):
        model = TINY[name](VOCABULARY)
        wide = [np.pad(ids, [[0, 1], [0, 4]]) for ids in (X, Y)]
        loss, gradients = _loss_and_gradients(model, X, Y)
        wide_loss, wide_gradients = _loss_and_gradients(model, *wide)
        np.testing.assert_allclose(loss, wide_loss, rtol=1e-5)
        for one, other in zip(gradients, wide_gradients, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)

    @parameterized.parameters(*TINY)
    def test_every_variable_learns(self, name):
        model = TINY[name](VOCABULARY)
        _, gradients = _loss_and_gradients(model, X, Y)
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
            self.assertTrue(np.any(gradient.numpy()), variable.name)

    @parameterized.parameters(*TINY)
    def test_initial_weights_depend_on_the_seed_alone(self, name):
        one, same, other = (TINY[name](VOCABULARY, seed=seed) for seed in (3, 3, 4))
        tf.random.set_seed(99)
        for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        self.assertFalse(np.array_equal(one.get_weights()[0], other.get_weights()[0]))

    @parameterized.parameters(*TINY)
    def test_dropout_is_stateless_and_only_in_training(self, name):
        model = TINY[name](VOCABULARY, dropout=0.5)

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
        exact = TINY[name](VOCABULARY)
        rounded = TINY[name](VOCABULARY, precision="bfloat16")
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
        logits, labels = TINY[name](VOCABULARY).score(nothing, nothing)
        self.assertEqual(logits.shape, (0, VOCABULARY))
        self.assertEqual(labels.shape, (0,))


def _invariant_groups(model):
    """The weights that may be multiplied by a factor, each group by its own."""
    weights = dict(zip(model.weight_names, model.trainable_variables, strict=True))
    added_up = ("lstm_0/kernel", "lstm_0/recurrent_kernel", "lstm_0/bias")
    groups = [[weights[name] for name in added_up if name in weights]]
    groups += [
        [weight]
        for name, weight in weights.items()
        if len(weight.shape) > 1 and name not in (*added_up, "embedding/embeddings")
    ]
    return [group for group in groups if group]


class ScaleInvarianceTest(parameterized.TestCase):
    @parameterized.product(name=INVARIANT, factor=(1e-4, 0.3, 7.0, 1e4))
    def test_scale_of_the_weights_changes_nothing(self, name, factor):
        model = TINY[name](VOCABULARY)
        before, _ = model.score(tf.constant(X), tf.constant(Y))
        groups = _invariant_groups(model)
        self.assertGreater(len(groups), 1)
        for group in groups:
            for weight in group:
                weight.assign(weight * factor)
            after, _ = model.score(tf.constant(X), tf.constant(Y))
            np.testing.assert_allclose(before, after, atol=2e-5, err_msg=group[0].name)

    @parameterized.parameters(*INVARIANT)
    def test_gradient_is_orthogonal_to_the_weights(self, name):
        model = TINY[name](VOCABULARY)
        _, gradients = _loss_and_gradients(model, X, Y)
        of = {id(v): g for v, g in zip(model.trainable_variables, gradients, strict=True)}
        for group in _invariant_groups(model):
            products = [np.vdot(weight, of[id(weight)]) for weight in group]
            sizes = [np.linalg.norm(weight) * np.linalg.norm(of[id(weight)]) for weight in group]
            self.assertLess(abs(sum(products)), 1e-5 * sum(sizes), group[0].name)

    @parameterized.parameters("lstm_tiny", "transformer_tiny")
    def test_other_models_are_not(self, name):
        model = build_model(name, VOCABULARY)
        before, _ = model.score(tf.constant(X), tf.constant(Y))
        for group in _invariant_groups(model):
            for weight in group:
                weight.assign(weight * 7.0)
        after, _ = model.score(tf.constant(X), tf.constant(Y))
        self.assertFalse(np.allclose(before, after, atol=0.1))

    def test_weights_of_zero_give_numbers(self):
        for name in INVARIANT:
            model = TINY[name](VOCABULARY)
            for weight in model.trainable_variables:
                weight.assign(tf.zeros_like(weight))
            loss, gradients = _loss_and_gradients(model, X, Y)
            self.assertTrue(np.isfinite(loss))
            for gradient in gradients:
                self.assertTrue(np.all(np.isfinite(gradient)))


if __name__ == "__main__":
    absltest.main()
