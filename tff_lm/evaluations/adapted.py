"""Personalization: the model is trained on a part of a client's sentences, measured on the rest.

Fine-tuning at the client, as in Wang et al. 2019, "Federated Evaluation of On-device
Personalization" (arXiv 1910.10252). Nothing of it leaves the client or stays: every evaluation
begins with the global model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import tensorflow as tf

from tff_lm.evaluations.registry import EVALUATIONS
from tff_lm.learning import gradient_hooks, local_training
from tff_lm.learning.evaluation import EvaluatedClient, Measurement, Part, score_all
from tff_lm.learning.local_optimizers import FreshState
from tff_lm.learning.optimizers.sgd import Sgd
from tff_lm.options import check_ranges, option

# The name of the figures of the model before the adaptation, on the same sentences.
BEFORE = "before"


@EVALUATIONS.register("adapted")
@dataclasses.dataclass(frozen=True)
class Adapted(Measurement):
    """Measured after training on the first part of a client's sentences, on the rest of them.

    The training is SGD as the clients of the run do it: their batches, order, epochs, steps,
    clipping and schedule; all variables that the run trains at all are trained. A client whose
    first part is empty is measured unadapted, one without a rest gives rows of zeros.
    """

    name: str = option("", "in records; empty: adapted")
    fraction: float = option(0.5, "of a client's sentences, to adapt on")
    learning_rate: float = option(0.0, "of the adaptation; 0: the clients' own", minimum=0)
    epochs: int = option(0, "passes over the first part; 0: the clients' own", minimum=0)

    def __post_init__(self):
        check_ranges("adapted", self)
        if not 0.0 < self.fraction < 1.0:
            raise ValueError(f"adapted: fraction = {self.fraction} is not above 0 and below 1.")

    @property
    def measures(self) -> tuple[str, ...]:
        """After the adaptation, and before it, so that the gain is visible."""
        return ("", BEFORE)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is adapted on, what is measured."""
        return (Part(0.0, self.fraction, as_trained=True), Part(self.fraction, 1.0))

    def rows(
        self, client: EvaluatedClient, parts: Sequence[tf.data.Dataset]
    ) -> Mapping[str, tf.Tensor]:
        """Two rows, float32[K] each, of the same sentences."""
        first, rest = parts
        own = client.training
        options = dataclasses.replace(
            own.options, local_epochs=self.epochs or own.options.local_epochs
        )
        before = score_all(client.local, rest)
        local_training.train(
            client.local,
            first,
            options,
            FreshState(Sgd(), client.local.names, client.local.variables),
            tf.constant(self.learning_rate or own.learning_rate, tf.float32),
            gradient_hooks.compose([]),
        )
        return {"": score_all(client.local, rest), BEFORE: before}
