"""Sending few coordinates: what `top_k` and `random_k` share."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from compression.codec import all_finite


def checked_fraction(name: str, fraction: float) -> None:
    """Raises ValueError unless 0 < fraction <= 1."""
    if not 0.0 < fraction <= 1.0:
        raise ValueError(f"{name}: fraction = {fraction} is not in (0, 1].")


def mark_if_not_finite(values: tf.Tensor, whole: tf.Tensor) -> tf.Tensor:
    """`values`, or NaN throughout if `whole`, of which they are a part, is not all finite.

    A coordinate that is not sent must not hide a NaN from `Codec.is_valid`.
    """
    return values + tf.where(all_finite(whole), 0.0, float("nan"))


def scatter(values: tf.Tensor, indices: tf.Tensor, shape: Sequence[int]) -> tf.Tensor:
    """Zeros of `shape` but for `values` at the flat, distinct `indices`."""
    count = tf.TensorShape(shape).num_elements()
    return tf.reshape(tf.scatter_nd(indices[:, tf.newaxis], values, [count]), shape)
