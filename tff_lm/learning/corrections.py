"""How a client's gradients are corrected with c, the cohort's mean gradient at the weights w0.

Clients see w0 at the start of a round, and c was collected before it; see `mime`.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.learning import gradient_hooks, local_training
from tff_lm.learning.client_work import ClientModel


class Start(NamedTuple):
    """What a client has before it trains.

    Attributes:
      weights: w0.
      batches: The client's data, once.
      control: c, a tensor for each variable.
      mask_fn: Which variables the client trains; None means all.
    """

    weights: tff.learning.models.ModelWeights
    batches: tf.data.Dataset
    control: Sequence[tf.Tensor]
    mask_fn: local_training.MaskFn | None


class Correction(Protocol):
    """Made with the client's computation, before its variables have values."""

    def __init__(self, client_model: ClientModel, local: local_training.LocalModel):
        """`local` is the model that will be trained."""

    def hook(self, start: Start) -> gradient_hooks.GradientHook:
        """The change of each gradient; called when the local model holds w0."""


class BatchVariates:
    """Mime: g(w) - g(w0) + c, both gradients of the same batch."""

    def __init__(self, client_model: ClientModel, local: local_training.LocalModel):
        del local
        self._anchor, self._bind = client_model.build_local()

    def hook(self, start: Start) -> gradient_hooks.GradientHook:
        self._bind(start.weights)

        def anchor_gradients(batch, seed):
            at_anchor = local_training.batch_gradients(self._anchor, batch, seed, start.mask_fn)
            return at_anchor.gradients

        return gradient_hooks.control_variate(anchor_gradients, start.control)


class ClientVariates:
    """SCAFFOLD: g(w) - c_i + c, with c_i the gradient at w0 of all the client's data."""

    def __init__(self, client_model: ClientModel, local: local_training.LocalModel):
        del client_model
        self._local = local

    def hook(self, start: Start) -> gradient_hooks.GradientHook:
        own = local_training.full_gradient(self._local, start.batches, start.mask_fn).gradient
        return gradient_hooks.shift([c - c_i for c, c_i in zip(start.control, own, strict=True)])
