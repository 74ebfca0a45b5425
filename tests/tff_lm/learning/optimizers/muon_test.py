"""Muon against NumPy: on one variable, and as the server's step of a round."""

from tests.tff_lm.learning import fixtures  # isort: skip

from collections import OrderedDict

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff
from absl.testing import absltest, parameterized

from tff_lm.learning.finalizers import build_finalizer
from tff_lm.learning.optimizers.build import build_optimizer
from tff_lm.learning.optimizers.muon import orthogonalize
from tff_lm.learning.optimizers.optimizer import Update
from tff_lm.learning.options import AlgorithmOptions, LearningOptions
from tff_lm.learning.registry import ALGORITHMS
from tff_lm.learning.weights import VariableSpec, full_partition
from tff_lm.models import build_model
from tff_lm.models.options import LoraOptions

_SHAPES = ((7, 7), (5, 12), (12, 5), (40, 90), (1, 6), (64, 8))


def newton_schulz(matrix, iterations=5):
    """In float64, as it is written down: transposed where rows outnumber columns."""
    x = matrix.astype(np.float64)
    if x.shape[0] > x.shape[1]:
        return newton_schulz(x.T, iterations).T
    x = x / np.linalg.norm(x)
    for _ in range(iterations):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x


def muon_step(w, m, delta, *, rate, parts=1, momentum=0.9, nesterov=True, scale=None):
    """(w, m) after a step."""
    m = momentum * m + delta
    u = momentum * m + delta if nesterov else m
    pieces = np.split(u, parts, axis=1)
    factor = 0.2 * max(pieces[0].shape) ** 0.5 if scale is None else scale
    step = np.concatenate([newton_schulz(piece) for piece in pieces], axis=1)
    return w - rate * factor * step, m


def matrices(count, shape, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(np.float32) for _ in range(count)]


def stepped(optimizer, spec, start, gradients, rate=0.1):
    """The variable and its slots after a step with each gradient."""
    optimizer = optimizer.for_variables([spec])
    variable = tf.Variable(start)
    slots = [tf.Variable(tf.fill(spec.shape, v)) for v in optimizer.slots(spec.name, spec.shape)]
    for step, gradient in enumerate(gradients):
        optimizer.apply(
            Update(
                spec.name,
                variable,
                slots,
                tf.constant(gradient),
                tf.constant(rate),
                tf.constant(step + 1),
            )
        )
    return variable.numpy(), [slot.numpy() for slot in slots]


class OrthogonalizeTest(parameterized.TestCase):
    @parameterized.parameters(*_SHAPES)
    def test_it_is_the_formula(self, *shape):
        (matrix,) = matrices(1, shape)
        ours = orthogonalize(tf.constant(1e-3 * matrix)).numpy()
        np.testing.assert_allclose(ours, newton_schulz(matrix), atol=2e-5)

    @parameterized.parameters(*_SHAPES)
    def test_singular_values_are_near_one_and_vectors_as_they_were(self, *shape):
        (matrix,) = matrices(1, shape)
        left, values, right = np.linalg.svd(matrix, full_matrices=False)
        # A square matrix of noise may be nearly singular, and what is tiny stays small.
        matrix = (left * np.maximum(values, 0.05 * values.max())) @ right
        ours = orthogonalize(tf.constant(matrix)).numpy()
        found = np.linalg.svd(ours, compute_uv=False)
        self.assertBetween(found.min(), 0.65, found.max())
        self.assertLess(found.max(), 1.25)
        in_between = left.T @ ours @ right.T
        np.testing.assert_allclose(in_between, np.diag(np.diag(in_between)), atol=1e-4)

    def test_zeros_stay_zeros(self):
        np.testing.assert_array_equal(orthogonalize(tf.zeros([3, 4])), np.zeros([3, 4]))


class MuonTest(parameterized.TestCase):
    @parameterized.product(nesterov=(True, False), split=(True, False), shape=((4, 18), (9, 6)))
    def test_matrices_side_by_side(self, nesterov, split, shape):
        start, *gradients = matrices(4, shape)
        optimizer = build_optimizer(f"muon(nesterov={nesterov}, split={split}, momentum=0.8)")
        ours, (slot,) = stepped(optimizer, VariableSpec("fused", shape, 3), start, gradients)
        w, m = start, np.zeros(shape)
        for gradient in gradients:
            w, m = muon_step(
                w,
                m,
                gradient,
                rate=0.1,
                parts=3 if split else 1,
                momentum=0.8,
                nesterov=nesterov,
            )
        np.testing.assert_allclose(ours, w, atol=1e-5)
        np.testing.assert_allclose(slot, m, rtol=1e-5)

    @parameterized.parameters(
        ("rms", (4, 9), 0.6), ("shape", (4, 9), 1.5), ("shape", (9, 4), 1.0), ("none", (4, 9), 1.0)
    )
    def test_scales(self, name, shape, factor):
        start, gradient = matrices(2, shape)
        optimizer = build_optimizer(f"muon(scale='{name}')")
        ours, _ = stepped(optimizer, VariableSpec("w", shape, 1), start, [gradient])
        expected, _ = muon_step(start, 0.0 * start, gradient, rate=0.1, scale=factor)
        np.testing.assert_allclose(ours, expected, atol=1e-5)

    def test_a_step_has_the_size_that_its_rate_says(self):
        start, gradient = matrices(2, (32, 64))
        for size in (1e-6, 1e4):
            optimizer = build_optimizer("muon")
            spec = VariableSpec("w", start.shape, 1)
            ours, _ = stepped(optimizer, spec, start, [size * gradient])
            self.assertAlmostEqual(np.sqrt(np.mean((ours - start) ** 2)), 0.1 * 0.2, delta=0.003)

    def test_what_is_no_matrix_is_adams_at_its_own_rate(self):
        for shape in ((5,), (3, 4), (2, 3, 4)):
            start, *gradients = matrices(4, shape)
            spec = VariableSpec("embeddings", shape, 0)
            muon = build_optimizer("muon(adam_rate=0.5, beta_1=0.8)", beta_2=0.95, epsilon=0.01)
            ours, slots = stepped(muon, spec, start, gradients)
            adam = build_optimizer("adam(beta_1=0.8, beta_2=0.95, epsilon=0.01)")
            expected, moments = stepped(adam, spec, start, gradients, rate=0.05)
            np.testing.assert_array_equal(ours, expected)
            np.testing.assert_array_equal(slots, moments)

    def test_untold_it_presumes(self):
        optimizer = build_optimizer("muon")
        self.assertEqual(optimizer.slots("hidden/kernel", (3, 4)), (0.0,))
        for name, shape in (("embedding/table", (3, 4)), ("bias", (4,)), ("kernel", (2, 3, 4))):
            self.assertLen(optimizer.slots(name, shape), 2)

    @parameterized.parameters(
        ("muon(scale='larger')", "scale = 'larger' is not one of rms, shape, none"),
        ("muon(momentum=1)", "momentum = 1.0 must lie in"),
        ("muon(iterations=0)", "iterations = 0 must be at least 1"),
        ("muon(adam_rate=-1)", "adam_rate = -1.0 must not be negative"),
    )
    def test_bad_hyperparameters(self, text, message):
        with self.assertRaisesRegex(ValueError, message):
            build_optimizer(text)


class ModelsTest(parameterized.TestCase):
    """What the models say of their weights."""

    @parameterized.parameters(
        ("transformer_tiny", {"attention/query_key_value/kernel": 3}, ()),
        (
            "conformer_tiny",
            {"attention/query_key_value/kernel": 3, "convolution/gated/kernel": 2},
            ("depthwise/kernel",),
        ),
        ("lstm_tiny", {"lstm_0/kernel": 3, "lstm_0/recurrent_kernel": 3}, ()),
    )
    def test_what_is_fused_and_what_is_none(self, name, fused, none):
        for lora in (None, LoraOptions(rank=2)):
            partition = full_partition(lambda lora=lora: build_model(name, 20, lora=lora))
            for spec in partition.trained_variables:
                ending = spec.name.removesuffix("/lora_b")
                count = next((n for end, n in fused.items() if ending.endswith(end)), 1)
                if len(spec.shape) != 2 or spec.name.endswith(("/embeddings", *none)):
                    count = 0
                self.assertEqual(spec.matrices, count, spec.name)
                self.assertEqual(spec.shape[-1] % max(count, 1), 0)

    def test_one_that_does_not_say_is_presumed(self):
        partition = full_partition(fixtures.TinyModel)
        counts = [variable.matrices for variable in partition.trained_variables]
        self.assertEqual(counts, [0, 1, 1, 0])


class RoundTest(absltest.TestCase):
    def test_the_server_step_of_fed_muon(self):
        """Three rounds; in the second nobody trained the matrix, which stands still."""
        shapes = ((4, 6), (5,))
        variables = (VariableSpec("kernel", shapes[0], 2), VariableSpec("bias", shapes[1]))
        options = LearningOptions(AlgorithmOptions(name="fed_muon", server_epsilon=1e-3))
        algorithm = ALGORITHMS["fed_muon"](options, variables)
        weights_type = tff.to_type(
            tff.learning.models.ModelWeights(
                tuple(tff.TensorType(np.float32, shape) for shape in shapes), ()
            )
        )
        process = build_finalizer(algorithm, weights_type)
        kernels, biases = matrices(4, shapes[0]), matrices(4, shapes[1], seed=1)
        state = process.initialize()
        weights = tff.learning.models.ModelWeights((kernels[0], biases[0]), ())
        w, m, b, first, second = kernels[0], 0.0 * kernels[0], biases[0], 0.0, 0.0
        rate = algorithm.server_rate
        for number, trained in ((1, True), (2, False), (3, True)):
            kernel = kernels[number] if trained else 0.0 * kernels[number]
            aggregate = OrderedDict(
                mean=(kernel, biases[number]), weight=np.array([trained, 2.0], np.float32)
            )
            output = process.next(state, weights, aggregate)
            state, weights = output.state, output.result
            if trained:
                w, m = muon_step(w, m, kernel, rate=rate, parts=2)
            first = 0.9 * first + 0.1 * biases[number]
            second = 0.99 * second + 0.01 * biases[number] ** 2
            corrected = rate * np.sqrt(1 - 0.99**number) / (1 - 0.9**number)
            b = b - corrected * first / (np.sqrt(second) + 1e-3)
            np.testing.assert_allclose(weights.trainable[0], w, atol=1e-5)
            np.testing.assert_allclose(weights.trainable[1], b, atol=1e-5)
            np.testing.assert_allclose(state["slots"][0][0], m, rtol=1e-5)
        self.assertEqual([len(slots) for slots in state["slots"]], [1, 2])
        np.testing.assert_array_equal(state["steps"], [2, 3])


if __name__ == "__main__":
    absltest.main()
