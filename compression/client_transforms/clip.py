"""Bounding the length of a client's update: what one client can move, and what noise must hide.

McMahan et al. 2018, "Learning Differentially Private Recurrent Language Models"
(arXiv 1710.06963), section 2, flat clipping.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import tensorflow as tf

from compression.parts import ClientTransform, Measurements, State, scaled_to_norm, sent_norm
from compression.registry import CLIENT_TRANSFORMS
from tff_lm.options import option


@CLIENT_TRANSFORMS.register("clip")
@dataclasses.dataclass(frozen=True)
class Clip(ClientTransform):
    """Scales an update that is longer than `norm` down to it.

    Reports `clipped_clients`, int32[], and `mean_norm`, float32[], before clipping. A codec that
    comes after may lengthen the update again.
    """

    norm: float = option(1.0, "largest l2 norm of an update, over the variables that are sent")

    def __post_init__(self) -> None:
        if not self.norm > 0.0:
            raise ValueError(f"clip: norm = {self.norm} must be positive.")

    def apply(
        self, update: Sequence[tf.Tensor], weights: tf.Tensor, state: State, seed: tf.Tensor
    ) -> tuple[Sequence[tf.Tensor], tf.Tensor, Measurements]:
        del state, seed
        norm = sent_norm(update, weights)
        measured = OrderedDict(clipped=tf.cast(norm > self.norm, tf.int32), norm=norm)
        return scaled_to_norm(update, norm, self.norm), weights, measured

    def report(
        self, state: State, totals: Mapping[str, tf.Tensor], clients: tf.Tensor
    ) -> Measurements:
        mean = tf.math.divide_no_nan(totals["norm"], tf.cast(clients, tf.float32))
        return OrderedDict(clipped_clients=totals["clipped"], mean_norm=mean)
