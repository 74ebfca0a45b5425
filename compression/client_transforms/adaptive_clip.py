"""Clipping to a length that follows the clients' updates.

Andrew et al. 2021, "Differentially Private Learning with Adaptive Clipping" (arXiv 1905.03871),
section 2, the geometric update, without noise on the count.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import tensorflow as tf

from compression.parts import ClientTransform, Measurements, State, scaled_to_norm, sent_norm
from compression.registry import CLIENT_TRANSFORMS
from compression.variables import CodedVariable
from tff_lm.options import check_ranges, option


@CLIENT_TRANSFORMS.register("adaptive_clip")
@dataclasses.dataclass(frozen=True)
class AdaptiveClip(ClientTransform):
    """Scales long updates down to C; then C <- C exp(-rate (share of clients within C - quantile)).

    The server keeps C, float32[], which every client of a round receives. Reports
    `clipped_clients`, int32[], and `clip_norm`, float32[], the C of the round.
    """

    initial_norm: float = option(0.1, "the l2 norm that the first round clips to")
    quantile: float = option(
        0.5, "share of clients whose updates should not be clipped", minimum=0.0, maximum=1.0
    )
    rate: float = option(0.2, "how fast the norm follows, in its logarithm", minimum=0.0)

    def __post_init__(self) -> None:
        if not self.initial_norm > 0.0:
            raise ValueError(f"adaptive_clip: initial_norm = {self.initial_norm} must be positive.")
        check_ranges("adaptive_clip", self)

    def initial_state(self, variables: Sequence[CodedVariable]) -> State:
        del variables
        return tf.constant(self.initial_norm, tf.float32)

    def apply(
        self, update: Sequence[tf.Tensor], weights: tf.Tensor, state: State, seed: tf.Tensor
    ) -> tuple[Sequence[tf.Tensor], tf.Tensor, Measurements]:
        del seed
        norm = sent_norm(update, weights)
        measured = OrderedDict(clipped=tf.cast(norm > state, tf.int32))
        return scaled_to_norm(update, norm, state), weights, measured

    def next_state(
        self, state: State, totals: Mapping[str, tf.Tensor], clients: tf.Tensor
    ) -> State:
        clipped = tf.cast(totals["clipped"], tf.float32) / tf.cast(clients, tf.float32)
        moved = state * tf.exp(-self.rate * ((1.0 - clipped) - self.quantile))
        return tf.where(clients > 0, moved, state)

    def report(
        self, state: State, totals: Mapping[str, tf.Tensor], clients: tf.Tensor
    ) -> Measurements:
        del clients
        return OrderedDict(clipped_clients=totals["clipped"], clip_norm=state)
