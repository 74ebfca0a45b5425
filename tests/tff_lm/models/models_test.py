"""Tests what every model must hold, over the registry: a new model gets them all."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import functools

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.tff_lm.learning.tiny_model import TinyModel
from tests.tff_lm.models import contract
from tests.tff_lm.models.contract import X, Y
from tff_lm.models import MODELS, build_model
from tff_lm.models.protocol import ServableModel, TrainableModel

# All at once, but for what makes initial gradients zero (see recipe_test).
OF_EVERY_MODEL = {"unigram_bias": True, "embedding_scale": 3.0, "logit_cap": 5.0}
OF_ATTENTION = {
    "positions": "rotary",
    "subtract_input": True,
    "final_gain": 0.7,
    "activation": "squared_relu",
    "norm": "rms",
    "biases": False,
    "qk_norm": True,
    "value_residual": True,
}


def _variants(architecture):
    """Suffixes of the variants that there are of a model -> arguments that make it."""
    yield "", {}
    if architecture.scale_invariant:
        yield "_scale_invariant", {"scale_invariant": True}
    if architecture.attends:
        yield "_rotary", {"positions": "rotary"}
        yield "_recipe", {**OF_EVERY_MODEL, **OF_ATTENTION, "local_mixing": "convolution"}
        yield "_shifted", {"local_mixing": "token_shift", "norm": "rms", "alternate_gain": True}
    else:
        yield "_recipe", OF_EVERY_MODEL


def _smallest():
    """The name of the smallest size of each architecture."""
    by_width = sorted(MODELS, key=lambda name: -MODELS[name].sizes["width"])
    return sorted({MODELS[name].body: name for name in by_width}.values())


# Every architecture at its smallest, and every variant of one, by a name: makes it.
TINY = {
    name + suffix: functools.partial(build_model, name, **arguments)
    for name in _smallest()
    for suffix, arguments in _variants(MODELS[name])
}
INVARIANT = [name for name in TINY if name.endswith("_scale_invariant")]
VOCABULARY = 50


def _loss_and_gradients(model, *batch, **options):
    """The loss, and the gradients in the order of the variables."""
    loss, gradients = contract.loss_and_gradients(model, *batch, **options)
    return loss, list(gradients.values())


class ContractTest(parameterized.TestCase):
    def test_tokens_as_numpy_gives_them(self):
        model = build_model("transformer_tiny", VOCABULARY)
        tokens = np.array([[1, 5, 6]])
        self.assertEqual(tokens.dtype, np.int64)
        np.testing.assert_array_equal(model(tokens), model(tokens.astype(np.int32)))

    @parameterized.product(name=list(TINY), check=(*contract.CHECKS, contract.serves))
    def test_models(self, name, check):
        check(functools.partial(TINY[name], VOCABULARY))

    @parameterized.parameters(*contract.CHECKS)
    def test_a_model_that_is_made_otherwise(self, check):
        check(TinyModel)

    def test_every_size_has_the_interface(self):
        for name in MODELS:
            model = build_model(name, VOCABULARY)
            self.assertIsInstance(model, TrainableModel, name)
            self.assertIsInstance(model, ServableModel, name)


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

    def test_bad_arguments_are_named(self):
        with self.assertRaisesRegex(
            ValueError, "transformer_smal.*did you mean 'transformer_small'"
        ):
            build_model("transformer_smal", 4000)
        with self.assertRaisesRegex(ValueError, "precision 'float16'"):
            build_model("lstm_tiny", 4000, precision="float16")
        with self.assertRaisesRegex(
            ValueError, "model.scale_invariant: conformer_tiny has no such .*lstm_small"
        ):
            build_model("conformer_tiny", 4000, scale_invariant=True)
        with self.assertRaisesRegex(ValueError, "dropout"):
            build_model("lstm_tiny", 4000, dropout=1.0)
        with self.assertRaisesRegex(ValueError, "positions 'rotery'; did you mean 'rotary'"):
            build_model("transformer_tiny", 4000, positions="rotery")
        with self.assertRaisesRegex(ValueError, "model.positions: lstm_tiny reads tokens in order"):
            build_model("lstm_tiny", 4000, positions="rotary")
        with self.assertRaisesRegex(ValueError, "model.qk_norm: lstm_tiny reads tokens in order"):
            build_model("lstm_tiny", 4000, qk_norm=True)
        with self.assertRaisesRegex(
            ValueError, "model.zero_init: the scale-invariant variant has layers of its own"
        ):
            build_model("transformer_tiny", 4000, scale_invariant=True, zero_init=True)
        with self.assertRaisesRegex(ValueError, "norm 'rsm'; did you mean 'rms'"):
            build_model("transformer_tiny", 4000, norm="rsm")
        with self.assertRaisesRegex(ValueError, "log_frequencies are of 3 pieces, not of 4"):
            build_model("lstm_tiny", 4, unigram_bias=True, log_frequencies=[0.0] * 3)


class BehaviourTest(parameterized.TestCase):
    @parameterized.parameters(*TINY)
    def test_order_matters(self, name):
        """What two tokens are followed by depends on which came first."""
        model = TINY[name](VOCABULARY)
        swapped = X.copy()
        swapped[0, 1], swapped[0, 2] = X[0, 2], X[0, 1]
        self.assertFalse(np.allclose(model(X)[0, 3], model(swapped)[0, 3], atol=1e-4))

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
