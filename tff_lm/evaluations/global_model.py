"""The model as it stands, on all sentences of people who took no part in training it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import tensorflow as tf

from tff_lm.evaluations.registry import EVALUATIONS
from tff_lm.learning.evaluation import EvaluatedClient, Measurement, score_all


@EVALUATIONS.register("validation")
@dataclasses.dataclass(frozen=True)
class GlobalModel(Measurement):
    """The figures of the global model; after the last round those of "test", too."""

    def rows(
        self, client: EvaluatedClient, parts: Sequence[tf.data.Dataset]
    ) -> Mapping[str, tf.Tensor]:
        """One row, float32[K]: the sums over the client's sentences."""
        return {"": score_all(client.local, parts[0])}
