"""What a token takes of those just before it in its sentence, before attention looks anywhere.

Attention learns late to look one token back. A packed batch has a sentence's tokens in consecutive
rows, so the token before a row's is the row above, unless the sentence begins there.
"""

from __future__ import annotations

import tensorflow as tf

from tff_lm.models.gradients import Gradient
from tff_lm.models.layers import CallContext, SubLayer
from tff_lm.models.registry import MIXERS


@MIXERS.register("none")
class Mixer(SubLayer):
    """Changes what attention projects, and what comes of it; this one, nothing."""

    def __init__(self, path: str, width: int):
        """Made for attention of the path and the width."""
        super().__init__(path)
        del width

    def of_input(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """The input [R, d] -> what is projected, [R, d]."""
        del context
        return x

    def of_projections(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """Queries, keys and values [R, 3d] -> the same shape and dtype."""
        del context
        return x


@MIXERS.register("token_shift")
class TokenShift(Mixer):
    """x[t] + mix * x[t-1], a unit's mix at first 0; a simpler form of RWKV's (arXiv 2305.13048)."""

    def __init__(self, path: str, width: int):
        super().__init__(f"{path}/token_shift", width)
        self.mix = self.weight("mix", [width], "zeros")

    def of_input(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        return token_shift(tf.cast(x, tf.float32), self.mix, context.packing.positions)


@MIXERS.register("convolution")
class LocalConvolution(Mixer):
    """A causal convolution, three wide, of each channel of queries, keys and values.

    So et al. 2021, "Primer" (arXiv 2109.08668), section 4. At first it changes nothing.
    """

    def __init__(self, path: str, width: int):
        super().__init__(f"{path}/depthwise", width)
        self.kernel = self.weight("kernel", [3, 3 * width], _identity)

    def of_projections(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        mixed = causal_taps(tf.cast(x, tf.float32), self.kernel, context.packing.positions)
        return tf.cast(mixed, x.dtype)


def _identity(shape, dtype=tf.float32, **_):
    return tf.concat([tf.zeros([shape[0] - 1, shape[1]], dtype), tf.ones([1, shape[1]], dtype)], 0)


def token_shift(x: tf.Tensor, mix: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """x[r] + mix * x[r-1], and x[r] alone where a sentence begins; with its gradient.

    Args:
      x: float32[R, d], packed (see `token_packing`).
      mix: float32[d].
      positions: int32[R], places in the sentence.
    """
    there = _there(positions, 1)

    @tf.custom_gradient
    def shift(x: tf.Tensor, mix: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        before = tf.roll(x, 1, axis=0) * there

        def grad(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            back = tf.roll(upstream * there, -1, axis=0) * mix
            return upstream + back, tf.reduce_sum(upstream * before, 0)

        return x + before * mix, grad

    return shift(x, mix)


def causal_taps(x: tf.Tensor, kernel: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """y[r] = sum_j kernel[k-1-j] * x[r-j] over a sentence's rows, with its gradient.

    Few lags of packed rows are cheaper so than by `conformer.causal_depthwise`.

    Args:
      x: float32[R, c], packed.
      kernel: float32[k, c].
      positions: int32[R], places in the sentence.
    """
    there = [_there(positions, lag) for lag in range(1, kernel.shape[0])]

    @tf.custom_gradient
    def convolve(x: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        taps = tf.unstack(kernel)[::-1]
        read = [x, *(tf.roll(x, lag, axis=0) * mask for lag, mask in enumerate(there, 1))]

        def grad(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            back = [upstream * taps[0]]
            for lag, mask in enumerate(there, 1):
                back.append(tf.roll(upstream * mask, -lag, axis=0) * taps[lag])
            at_taps = [tf.reduce_sum(upstream * each, 0) for each in read]
            return tf.add_n(back), tf.stack(at_taps[::-1])

        return tf.add_n([each * tap for each, tap in zip(read, taps, strict=True)]), grad

    return convolve(x, kernel)


def _there(positions: tf.Tensor, lag: int) -> tf.Tensor:
    """float32[R, 1]: 1 where the sentence has a token `lag` places before."""
    return tf.cast(positions >= lag, tf.float32)[:, tf.newaxis]
