"""Leaving out clients whose update is far too long: broken devices, and the crudest attacks."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Sequence

import tensorflow as tf

from compression.parts import ClientTransform, Measurements, State, sent_norm
from compression.registry import CLIENT_TRANSFORMS
from tff_lm.options import option


@CLIENT_TRANSFORMS.register("drop_large")
@dataclasses.dataclass(frozen=True)
class DropLarge(ClientTransform):
    """A client whose update is longer than `norm` sends nothing and has no weight in any mean.

    Reports `dropped_clients`, int32[].
    """

    norm: float = option(10.0, "largest l2 norm of an update, over the variables that are sent")

    def __post_init__(self) -> None:
        if not self.norm > 0.0:
            raise ValueError(f"drop_large: norm = {self.norm} must be positive.")

    def apply(
        self, update: Sequence[tf.Tensor], weights: tf.Tensor, state: State, seed: tf.Tensor
    ) -> tuple[Sequence[tf.Tensor], tf.Tensor, Measurements]:
        del state, seed
        norm = sent_norm(update, weights)
        # An infinite norm is no long update but one that is not finite, which is counted as such.
        dropped = tf.math.is_finite(norm) & (norm > self.norm)
        measured = OrderedDict(dropped_clients=tf.cast(dropped, tf.int32))
        return update, tf.where(dropped, 0.0, weights), measured
