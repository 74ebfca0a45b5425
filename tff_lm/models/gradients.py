"""Matrix products whose weights may be frozen: then their gradient is zero and is not computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

Gradient = Callable[..., Any]  # What a custom_gradient function returns beside its result.


def matmul(
    x: tf.Tensor,
    weights: tf.Variable,
    precision: tf.DType,
    trained: tf.Tensor | None,
    *,
    bias: tf.Variable | None = None,
    transpose_b: bool = False,
) -> tf.Tensor:
    """X [N, in] times the weights, plus a bias, in `precision`.

    Where the bool scalar `trained` is given and false, the weights' gradient is zero and its
    product does not run.
    """
    x = tf.cast(x, precision)
    master = tf.convert_to_tensor(weights)
    matrix = tf.cast(master, precision)
    if trained is not None:
        matrix = tf.stop_gradient(matrix)
    result = tf.matmul(x, matrix, transpose_b=transpose_b)
    if bias is not None:
        result = tf.nn.bias_add(result, tf.cast(bias, precision))
    if trained is None:
        return result
    # Behind the bias, for TensorFlow runs product and bias as one operation, which rounds once.
    return _with_weight_gradient(result, master, x, trained, transpose_b)


def _with_weight_gradient(
    result: tf.Tensor, weights: tf.Tensor, x: tf.Tensor, trained: tf.Tensor, transpose_b: bool
) -> tf.Tensor:
    """`result`, a product of x and weights through which no gradient reaches the weights yet."""

    @tf.custom_gradient
    def attach(result: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        def grad(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            left, right = (upstream, x) if transpose_b else (x, upstream)
            return upstream, outer_if(trained, left, right, weights.dtype)

        return tf.identity(result), grad

    return attach(result, weights)


def outer_if(
    trained: tf.Tensor | None, left: tf.Tensor, right: tf.Tensor, dtype: tf.DType | None = None
) -> tf.Tensor:
    """left^T right, [N, m] and [N, n] -> [m, n]; zeros, without the product, where not trained."""
    dtype = dtype or left.dtype

    def product() -> tf.Tensor:
        return tf.cast(tf.matmul(left, right, transpose_a=True), dtype)

    if trained is None:
        return product()
    shape = [left.shape[1], right.shape[1]]
    return tf.cond(trained, product, lambda: tf.zeros(shape, dtype))


def any_trained(flags: Sequence[tf.Tensor | None]) -> tf.Tensor | None:
    """Whether one of several weights is trained that enter the same product; None if always."""
    given = [flag for flag in flags if flag is not None]
    return tf.reduce_any(tf.stack(given)) if len(given) == len(flags) else None


def gradient_if(trained: tf.Tensor | None, x: tf.Tensor) -> tf.Tensor:
    """X; its gradient is zero where the bool scalar `trained` is given and false."""
    if trained is None:
        return x

    @tf.custom_gradient
    def identity(x: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        return tf.identity(x), lambda upstream: upstream * tf.cast(trained, upstream.dtype)

    return identity(x)
