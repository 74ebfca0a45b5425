"""Hand-written gradients against automatic differentiation, and frozen products."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import functools

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tff_lm.models import build_model
from tff_lm.models.activations import squared_relu
from tff_lm.models.attention import blended
from tff_lm.models.cifg_cell import SigmoidCell
from tff_lm.models.cifg_layer import cifg_recurrence
from tff_lm.models.conformer import causal_depthwise
from tff_lm.models.layers import layer_norm
from tff_lm.models.local_mixing import causal_taps, token_shift
from tff_lm.models.logits import soft_cap
from tff_lm.models.rms_norm import RmsNorm
from tff_lm.models.scale_invariant import ScaleInvariantCell
from tff_lm.models.token_packing import TokenPacking


def _random(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


def _gradients(function, arguments):
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        result = function(*arguments)
        scalar = tf.reduce_sum(result * _random(*result.shape, seed=9))
    return result, tape.gradient(scalar, arguments)


def _plain_layer_norm(x, gamma, beta):
    mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
    return gamma * (x - mean) / tf.sqrt(variance + 1e-6) + beta


def _plain_depthwise(x, kernel):
    """The definition, lag by lag."""
    length, size = x.shape[1], kernel.shape[0]
    shifted = [tf.pad(x, [[0, 0], [lag, 0], [0, 0]])[:, :length] for lag in range(size)]
    return sum(kernel[size - 1 - lag] * values for lag, values in enumerate(shifted))


def _plain_recurrence(projected, recurrent, projection):
    """The equations of cifg_lstm's docstring, step by step."""
    cell = tf.zeros([projected.shape[1], projection.shape[0]])
    state = tf.zeros([projected.shape[1], projection.shape[1]])
    states = []
    for step in tf.unstack(projected):
        forget, out, candidate = tf.split(step + state @ recurrent, 3, axis=1)
        forget, out, candidate = tf.sigmoid(forget), tf.sigmoid(out), tf.tanh(candidate)
        cell = forget * cell + (1 - forget) * candidate
        state = (out * tf.tanh(cell)) @ projection
        states.append(state)
    return tf.stack(states)


def _divided(x):
    return x / tf.sqrt(tf.reduce_mean(tf.square(x), axis=-1, keepdims=True))


def _plain_invariant_recurrence(projected, recurrent, projection):
    """The same with the functions of ScaleInvariantCell."""
    cell = tf.zeros([projected.shape[1], projection.shape[0]])
    read = tf.zeros([projected.shape[1], projection.shape[1]])
    states = []
    for step in tf.unstack(projected):
        parts = [_divided(z) for z in tf.split(step + read @ recurrent, 3, axis=1)]
        forget, out = (tf.clip_by_value(0.5 + z / 4, 0, 1) for z in parts[:2])
        cell = forget * cell + (1 - forget) * tf.clip_by_value(parts[2] / 2, -1, 1)
        states.append((out * tf.tanh(cell)) @ projection)
        read = _divided(states[-1])
    return tf.stack(states)


def _rms_norm(x, gain):
    layer = RmsNorm("scale", x.shape[-1])
    layer.gain = gain
    return layer(x)


# Two sentences of three and four tokens, and two spare rows.
_PLACES = tf.constant([0, 1, 2, 0, 1, 2, 3, 0, 0])


def _before(x, lag):
    """The definition: row by row."""
    zero = tf.zeros([x.shape[1]])
    return tf.stack([x[r - lag] if place >= lag else zero for r, place in enumerate(_PLACES)])


def _plain_taps(x, kernel):
    return sum(kernel[-1 - lag] * _before(x, lag) for lag in range(kernel.shape[0]))


_CIFG = functools.partial(cifg_recurrence, SigmoidCell())
_INVARIANT_CIFG = functools.partial(cifg_recurrence, ScaleInvariantCell())


class GradientTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("depthwise", causal_depthwise, _plain_depthwise, [(3, 7, 4), (3, 4)]),
        ("depthwise_long_kernel", causal_depthwise, _plain_depthwise, [(2, 3, 4), (5, 4)]),
        ("depthwise_one_step", causal_depthwise, _plain_depthwise, [(2, 1, 4), (5, 4)]),
        ("layer_norm", layer_norm, _plain_layer_norm, [(7, 5), (5,), (5,)]),
        ("cifg", _CIFG, _plain_recurrence, [(6, 3, 12), (5, 12), (4, 5)]),
        ("cifg_one_step", _CIFG, _plain_recurrence, [(1, 2, 12), (5, 12), (4, 5)]),
        (
            "invariant_cifg",
            _INVARIANT_CIFG,
            _plain_invariant_recurrence,
            [(6, 3, 30), (5, 30), (10, 5)],
        ),
        ("rms_norm", _rms_norm, lambda x, gain: _divided(x) * gain, [(7, 5), (5,)]),
        ("rms_norm_heads", _rms_norm, lambda x, gain: _divided(x) * gain, [(2, 3, 7, 5), (5,)]),
        ("squared_relu", squared_relu, lambda x: tf.maximum(x, 0) ** 2, [(7, 5)]),
        ("soft_cap", lambda x: soft_cap(x, 1.5), lambda x: 1.5 * tf.tanh(x / 1.5), [(7, 5)]),
        (
            "blended",
            blended,
            lambda x, y, part: (1 - part) * x + part * y,
            [(2, 3, 4), (2, 3, 4), (1,)],
        ),
        (
            "token_shift",
            lambda x, mix: token_shift(x, mix, _PLACES),
            lambda x, mix: x + mix * _before(x, 1),
            [(9, 5), (5,)],
        ),
        (
            "causal_taps",
            lambda x, kernel: causal_taps(x, kernel, _PLACES),
            _plain_taps,
            [(9, 5), (3, 5)],
        ),
    )
    def test_equals_automatic_differentiation(self, function, plain, shapes):
        arguments = [_random(*shape, seed=i) for i, shape in enumerate(shapes)]
        result, gradients = _gradients(function, arguments)
        expected, expected_gradients = _gradients(plain, arguments)
        np.testing.assert_allclose(result, expected, atol=1e-5)
        for one, other in zip(gradients, expected_gradients, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


class TokenPackingTest(absltest.TestCase):
    def test_pack_inverts_unpack(self):
        packing = TokenPacking.of(tf.constant([[1, 2, 0], [3, 0, 0], [4, 5, 6]]))
        self.assertEqual(packing.tokens, 6)
        values = _random(8, 4)
        padded = packing.unpack(values)
        self.assertEqual(padded.shape, (3, 3, 4))
        self.assertFalse(np.any(padded.numpy()[[0, 1, 1], [2, 1, 2]]))
        np.testing.assert_array_equal(packing.pack(padded)[:6], values[:6])
        np.testing.assert_array_equal(packing.positions[:6], [0, 1, 0, 0, 1, 2])
        time_major = packing.unpack_time_major(values)
        np.testing.assert_array_equal(tf.transpose(time_major, [1, 0, 2]), padded)
        np.testing.assert_array_equal(packing.pack_time_major(time_major)[:6], values[:6])

    def test_spare_rows_reach_nothing(self):
        """Neither a value of theirs goes on, nor a gradient comes to them."""
        packing = TokenPacking.of(tf.constant([[1, 2], [3, 0]]))
        values = tf.concat([_random(3, 4), tf.fill([1, 4], np.float32(np.nan))], 0)
        self.assertTrue(np.all(np.isfinite(packing.unpack(values))))
        for unpack in (packing.unpack, packing.unpack_time_major):
            _, (gradient,) = _gradients(unpack, [_random(4, 4)])
            self.assertTrue(np.all(gradient[:3]))
            self.assertFalse(np.any(gradient[3:]))
        for pack in (packing.pack, packing.pack_time_major):
            _, (gradient,) = _gradients(lambda x, pack=pack: pack(x)[:3], [_random(2, 2, 4)])
            self.assertEqual(np.count_nonzero(gradient), 3 * 4)
        kept, (gradient,) = _gradients(packing.without_spare, [_random(4, 4)])
        self.assertEqual(kept.shape, (3, 4))
        self.assertTrue(np.all(gradient[:3]))
        self.assertFalse(np.any(gradient[3:]))

    def test_rows_are_rounded_up_by_precision(self):
        ids = tf.ones([3, 3], tf.int32)
        for precision, rows in ((tf.float32, 12), (tf.bfloat16, 16)):
            self.assertEqual(tf.size(TokenPacking.of(ids, precision).rows), rows)


class FrozenTest(absltest.TestCase):
    def test_only_freezable_weights_can_be_frozen(self):
        model = build_model("conformer_tiny", 20)
        with self.assertRaisesRegex(ValueError, "cannot freeze block_0/convolution/depthwise"):
            x = tf.constant([[1]])
            model.score(x, x, trained={"block_0/convolution/depthwise/kernel": tf.constant(True)})


if __name__ == "__main__":
    absltest.main()
