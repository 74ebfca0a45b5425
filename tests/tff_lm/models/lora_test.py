"""Low-rank corrections, on every architecture."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tff_lm.models import MODELS, build_model
from tff_lm.models.lora import is_adapter, merged
from tff_lm.models.options import LoraOptions

TINY = [name for name in MODELS if name.endswith("_tiny")]
VOCABULARY = 50
OPTIONS = LoraOptions(rank=3, alpha=6.0)
X = np.array([[1, 5, 6, 7, 8], [1, 9, 10, 0, 0]], np.int32)
Y = np.array([[5, 6, 7, 8, 2], [9, 10, 2, 0, 0]], np.int32)


def weights_of(model):
    values = [variable.numpy() for variable in model.trainable_variables]
    return dict(zip(model.weight_names, values, strict=True))


def assign(model, weights):
    for name, variable in zip(model.weight_names, model.trainable_variables, strict=True):
        variable.assign(weights[name])


def randomized(model):
    rng = np.random.default_rng(0)
    weights = weights_of(model)
    for name in filter(is_adapter, weights):
        weights[name] = weights[name] + rng.normal(0, 0.3, weights[name].shape).astype(np.float32)
    assign(model, weights)
    return weights


def gradients(model, **options):
    with tf.GradientTape() as tape:
        logits, labels = model.score(tf.constant(X), tf.constant(Y), **options)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
    found = tape.gradient(loss, model.trainable_variables)
    return dict(zip(model.weight_names, map(tf.convert_to_tensor, found), strict=True))


class LoraTest(parameterized.TestCase):
    @parameterized.product(name=TINY, precision=("float32", "bfloat16"))
    def test_at_first_it_is_the_base_model(self, name, precision):
        base = build_model(name, VOCABULARY, precision=precision)
        adapted = build_model(name, VOCABULARY, precision=precision, lora=OPTIONS)
        np.testing.assert_array_equal(adapted(X), base(X))
        own = weights_of(base)
        for weight, value in weights_of(adapted).items():
            if not is_adapter(weight):
                np.testing.assert_array_equal(value, own[weight])

    @parameterized.parameters(*TINY)
    def test_merged_equals_unmerged(self, name):
        adapted, base = build_model(name, VOCABULARY, lora=OPTIONS), build_model(name, VOCABULARY)
        before = adapted(X).numpy()
        weights = randomized(adapted)
        assign(base, merged(weights, OPTIONS.scale))
        self.assertFalse(np.allclose(before, adapted(X), atol=1e-2))
        np.testing.assert_allclose(base(X), adapted(X), atol=1e-5)

    @parameterized.parameters(*TINY)
    def test_every_matrix_but_the_embedding_is_corrected(self, name):
        model = build_model(name, VOCABULARY, lora=OPTIONS)
        weights = weights_of(model)
        for weight, value in weights.items():
            if value.ndim < 2 or is_adapter(weight) or "depthwise" in weight:
                continue
            corrected = f"{weight}/lora_a" in weights
            self.assertEqual(corrected, weight != "embedding/embeddings", weight)
            if corrected:
                rows, columns = value.shape
                self.assertEqual(weights[f"{weight}/lora_a"].shape, (rows, 3))
                self.assertEqual(weights[f"{weight}/lora_b"].shape, (3, columns))

    @parameterized.parameters(*TINY)
    def test_corrections_learn_and_can_be_frozen(self, name):
        model = build_model(name, VOCABULARY, lora=OPTIONS)
        randomized(model)
        free = gradients(model)
        adapters = [weight for weight in free if is_adapter(weight)]
        self.assertContainsSubset(adapters, model.freezable)
        for weight in adapters:
            self.assertTrue(np.any(free[weight]), weight)
        flags = {weight: tf.constant(index % 2 == 0) for index, weight in enumerate(adapters)}
        for weight, gradient in gradients(model, trained=flags).items():
            if weight in flags and not flags[weight]:
                self.assertFalse(np.any(gradient), weight)
            else:
                np.testing.assert_allclose(gradient, free[weight], atol=1e-6)

    @parameterized.parameters(*TINY)
    def test_a_frozen_matrix_leaves_its_correction_to_learn(self, name):
        model = build_model(name, VOCABULARY, lora=OPTIONS)
        randomized(model)
        free = gradients(model)
        matrices = [weight for weight in model.freezable if not is_adapter(weight)]
        flags = {weight: tf.constant(False) for weight in matrices}
        for weight, gradient in gradients(model, trained=flags).items():
            if weight in flags:
                self.assertFalse(np.any(gradient), weight)
            else:
                np.testing.assert_allclose(gradient, free[weight], atol=1e-6, err_msg=weight)

    def test_a_pattern_chooses(self):
        model = build_model(
            "transformer_tiny", VOCABULARY, lora=LoraOptions(rank=8, include="attention/output")
        )
        adapters = [name for name in model.weight_names if is_adapter(name)]
        self.assertEqual(
            adapters,
            [
                f"block_{block}/attention/output/kernel/lora_{letter}"
                for block in (0, 1)
                for letter in "ab"
            ],
        )
        with self.assertRaisesRegex(ValueError, "no matrix matches 'embedding'.*feed_forward"):
            build_model(
                "transformer_tiny", VOCABULARY, lora=LoraOptions(rank=8, include="embedding")
            )

    def test_by_hand(self):
        weights = {
            "a/kernel": np.ones([2, 2], np.float32),
            "a/kernel/lora_a": np.array([[1], [2]], np.float32),
            "a/kernel/lora_b": np.array([[3, 4]], np.float32),
            "a/bias": np.zeros([2], np.float32),
        }
        found = merged(weights, 0.5)
        self.assertSameElements(found, ["a/kernel", "a/bias"])
        np.testing.assert_array_equal(found["a/kernel"], [[2.5, 3.0], [4.0, 5.0]])

    def test_a_rank_of_0_is_no_correction(self):
        plain = build_model("transformer_tiny", VOCABULARY)
        model = build_model("transformer_tiny", VOCABULARY, lora=LoraOptions(rank=0))
        self.assertEqual(model.weight_names, plain.weight_names)


if __name__ == "__main__":
    absltest.main()
