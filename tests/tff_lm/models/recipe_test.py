"""How layers are made: each option by itself against NumPy, the start, and the sizes."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import functools
import math

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.tff_lm.models import contract
from tests.tff_lm.models.contract import VOCABULARY, X, Y
from tff_lm.learning.weights import full_partition
from tff_lm.models import build_model
from tff_lm.models.attention import CausalSelfAttention
from tff_lm.models.layers import CallContext
from tff_lm.models.local_mixing import LocalConvolution, TokenShift
from tff_lm.models.positions import Positions
from tff_lm.models.recipe import Recipe
from tff_lm.models.token_packing import TokenPacking

WIDTH, HEADS = 8, 2
LENGTHS = (4, 2)
TOKENS = sum(LENGTHS)

# All that is worth having at once, by kind of model.
EVERY = {"unigram_bias": True, "logit_cap": 15.0}
ATTENTION = {
    **EVERY,
    "positions": "rotary",
    "subtract_input": True,
    "zero_init": True,
    "activation": "squared_relu",
    "norm": "rms",
    "biases": False,
    "qk_norm": True,
    "value_residual": True,
    "local_mixing": "convolution",
}
MODERN = {"transformer": ATTENTION, "conformer": ATTENTION, "lstm": EVERY}


def packing():
    ids = np.zeros([len(LENGTHS), max(LENGTHS)], np.int32)
    for row, length in enumerate(LENGTHS):
        ids[row, :length] = 5
    return TokenPacking.of(tf.constant(ids))


def rows(seed):
    """float32[R, WIDTH], with something in the spare rows."""
    count = packing().rows.shape[0]
    return np.random.default_rng(seed).normal(size=[count, WIDTH]).astype(np.float32)


def made(recipe, first=True):
    """Attention without positions whose weights are all drawn, and these by their names."""
    layer = CausalSelfAttention(
        "a", WIDTH, HEADS, seed=0, precision="float32", out_scale=1.0, recipe=recipe, first=first
    )
    rng = np.random.default_rng(1)
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(0.5, 0.5, variable.shape))
    names = {id(v): n for m in layer.submodules for n, v in getattr(m, "named_weights", {}).items()}
    names |= {id(v): n for n, v in layer.named_weights.items()}
    return layer, {names[id(v)]: v.numpy() for v in layer.trainable_variables}


def attention(x, weights, unit=False, first_value=None, shift=None, taps=None):
    """The layer in NumPy, sentence by sentence -> outputs [TOKENS, WIDTH], values by sentence."""
    outputs, values, begin = [], [], 0
    for sentence, length in enumerate(LENGTHS):
        own = x[begin : begin + length]
        begin += length
        if shift is not None:
            own = own + shift * np.pad(own, [[1, 0], [0, 0]])[:-1]
        projected = own @ weights["a/query_key_value/kernel"] + weights["a/query_key_value/bias"]
        if taps is not None:
            reach = len(taps) - 1
            padded = np.pad(projected, [[reach, 0], [0, 0]])
            projected = sum(tap * padded[i : i + length] for i, tap in enumerate(taps))
        query, key, value = (
            part.reshape(length, HEADS, -1).transpose(1, 0, 2)
            for part in np.split(projected, 3, axis=1)
        )
        if unit:
            query = query / np.sqrt(np.mean(query**2, -1, keepdims=True))
            key = key / np.sqrt(np.mean(key**2, -1, keepdims=True))
            query, key = query * weights["a/unit_query/gain"], key * weights["a/unit_key/gain"]
        values.append(value)
        if first_value is not None:
            share = weights["a/first_share"]
            value = (1 - share) * value + share * first_value[sentence]
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(WIDTH // HEADS)
        scores[:, np.triu(np.ones([length, length], bool), 1)] = -np.inf
        powers = np.exp(scores)
        mixed = powers / powers.sum(-1, keepdims=True) @ value
        outputs.append(mixed.transpose(1, 0, 2).reshape(length, WIDTH))
    merged = np.concatenate(outputs)
    return merged @ weights["a/output/kernel"] + weights["a/output/bias"], values


def run(layer, x, context=None):
    return layer(tf.constant(x), context or CallContext(packing())).numpy()[:TOKENS]


class AttentionTest(absltest.TestCase):
    def recipe(self, **options):
        return Recipe(positions=Positions(), **options)

    def test_the_papers(self):
        layer, weights = made(self.recipe())
        np.testing.assert_allclose(run(layer, rows(2)), attention(rows(2), weights)[0], atol=1e-4)

    def test_unit_queries_and_keys(self):
        layer, weights = made(self.recipe(qk_norm=True))
        found = run(layer, rows(2))
        np.testing.assert_allclose(found, attention(rows(2), weights, unit=True)[0], atol=1e-4)

    def test_values_of_the_first_block(self):
        first, first_weights = made(self.recipe(value_residual=True))
        self.assertNotIn("a/first_share", first_weights)
        second, weights = made(self.recipe(value_residual=True), first=False)
        context = CallContext(packing())
        expected, values = attention(rows(2), first_weights)
        np.testing.assert_allclose(run(first, rows(2), context), expected, atol=1e-4)
        expected, _ = attention(rows(3), weights, first_value=values)
        np.testing.assert_allclose(run(second, rows(3), context), expected, atol=1e-4)

    def test_token_shift(self):
        layer, weights = made(self.recipe(mixer=TokenShift))
        expected, _ = attention(rows(2), weights, shift=weights["a/token_shift/mix"])
        np.testing.assert_allclose(run(layer, rows(2)), expected, atol=1e-4)

    def test_convolution(self):
        layer, weights = made(self.recipe(mixer=LocalConvolution))
        self.assertEqual(weights["a/depthwise/kernel"].shape, (3, 3 * WIDTH))
        expected, _ = attention(rows(2), weights, taps=weights["a/depthwise/kernel"])
        np.testing.assert_allclose(run(layer, rows(2)), expected, atol=1e-4)

    def test_local_mixing_changes_nothing_at_first(self):
        plain = build_model("transformer_tiny", VOCABULARY)(X).numpy()
        for kind in ("token_shift", "convolution"):
            mixed = build_model("transformer_tiny", VOCABULARY, local_mixing=kind)(X).numpy()
            np.testing.assert_allclose(mixed, plain, atol=1e-5)


class EndsTest(absltest.TestCase):
    """What is done to the embedding, and to the logits."""

    def logits(self, **options):
        return contract.logits_of(build_model("lstm_tiny", VOCABULARY, **options), X, Y)

    def test_bias_and_cap(self):
        plain = self.logits()
        bias = np.linspace(-9, 0, VOCABULARY).astype(np.float32)
        biased = {"unigram_bias": True, "log_frequencies": bias}
        np.testing.assert_allclose(self.logits(**biased), plain + bias, atol=1e-5)
        capped = 0.2 * np.tanh(plain / 0.2)
        np.testing.assert_allclose(self.logits(logit_cap=0.2), capped, atol=1e-5)
        np.testing.assert_allclose(self.logits(logit_cap=0.2, **biased), capped + bias, atol=1e-5)
        np.testing.assert_array_equal(self.logits(unigram_bias=True), plain)

    def test_embedding_scale(self):
        models = [
            build_model("lstm_tiny", VOCABULARY, embedding_scale=scale) for scale in (0.0, 4.0, 0.5)
        ]
        context = CallContext(packing())
        own, same, small = (each.embedding(tf.constant([3, 7]), context) for each in models)
        np.testing.assert_array_equal(own, same)
        np.testing.assert_allclose(small, own / 8.0, rtol=1e-6)

    def test_what_the_blocks_changed(self):
        """By hand: the last norm's output, less the stream before the blocks over its size."""
        common = {"norm": "rms", "positions": "rotary", "final_gain": 0.5}
        plain, changed = (
            build_model("transformer_tiny", VOCABULARY, subtract_input=wanted, **common)
            for wanted in (False, True)
        )
        table = plain.embedding.embeddings.numpy()
        start = table[X[X != 0]] * math.sqrt(table.shape[1])
        size = np.sqrt(np.mean(start**2, -1, keepdims=True))
        expected = contract.logits_of(plain, X, Y) - 0.5 * start / size @ table.T
        np.testing.assert_allclose(contract.logits_of(changed, X, Y), expected, atol=1e-4)


def start_loss(name, log_frequencies, **options):
    """The untrained loss where targets are drawn by their frequency."""
    model = build_model(name, len(log_frequencies), log_frequencies=log_frequencies, **options)
    loss, _ = contract.loss_and_gradients(model)
    unigram = -np.mean(log_frequencies[Y[Y != 0]])
    return loss, unigram


class StartTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        counts = np.arange(1.0, VOCABULARY + 1)
        self.frequencies = np.log(counts / counts.sum())

    @parameterized.parameters(*MODERN)
    def test_is_the_unigram_loss(self, name):
        loss, unigram = start_loss(f"{name}_tiny", self.frequencies, **MODERN[name])
        self.assertAlmostEqual(loss / unigram, 1.0, delta=1e-5 if name != "lstm" else 0.03)

    def test_is_far_above_otherwise(self):
        without = ATTENTION | {"subtract_input": False}
        loss, unigram = start_loss("transformer_small", self.frequencies, **without)
        self.assertGreater(loss, unigram + 1.0)

    def test_signs_in_turns_hide_the_own_token(self):
        """Blocks that change nothing and positions that add nothing: logits are e D e', by hand."""
        options = {"zero_init": True, "positions": "rotary", "norm": "rms", "final_gain": 0.5}
        own = {}
        for alternate in (False, True):
            model = build_model(
                "transformer_small", VOCABULARY, alternate_gain=alternate, **options
            )
            table = model.embedding.embeddings.numpy()
            stream = table[X[X != 0]]
            stream = stream / np.sqrt(np.mean(stream**2, -1, keepdims=True))
            signs = np.where(np.arange(table.shape[1]) % 2, -1, 1) if alternate else 1
            logits = contract.logits_of(model, X, Y)
            np.testing.assert_allclose(logits, 0.5 * signs * stream @ table.T, atol=1e-4)
            own[alternate] = np.abs(logits[np.arange(len(stream)), X[X != 0]]).mean()
        self.assertGreater(own[False], 4.0)
        self.assertLess(own[True], 1.0)

    @parameterized.parameters("transformer", "conformer")
    def test_blocks_that_start_at_zero_learn(self, name):
        """At once in their last matrices, and after a step everywhere."""
        model = build_model(f"{name}_tiny", VOCABULARY, **ATTENTION)
        _, gradients = contract.loss_and_gradients(model)
        for weight, gradient in gradients.items():
            if "/output/" in weight:
                self.assertTrue(np.any(gradient), weight)
        for variable, gradient in zip(model.trainable_variables, gradients.values(), strict=True):
            variable.assign_sub(0.1 * gradient)
        contract.learns_everywhere(lambda: model)


class SizesTest(parameterized.TestCase):
    @parameterized.parameters(
        ("lstm", 18_782_208), ("transformer", 20_963_328), ("conformer", 20_229_632)
    )
    def test_parameters_are_the_papers_within_half_a_percent(self, name, papers):
        model_fn = functools.partial(build_model, f"{name}_large", 4000, **MODERN[name])
        parameters = sum(math.prod(shape) for shape in full_partition(model_fn).shapes)
        self.assertNotEqual(parameters, papers)
        self.assertAlmostEqual(parameters / papers, 1.0, delta=0.005)


if __name__ == "__main__":
    absltest.main()
