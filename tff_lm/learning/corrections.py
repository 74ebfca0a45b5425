"""How a client's gradients are corrected with c, the cohort's mean gradient at the weights w0.

Clients see w0 at the start of a round, and c was collected before it; see `mime`.
"""

from collections.abc import Sequence
from typing import Protocol

import tensorflow as tf
import tensorflow_federated as tff

from tff_lm.learning import gradient_hooks, local_training
from tff_lm.learning.client_work import ClientModel


class Correction(Protocol):
    """Made with the client's computation, before its variables have values."""

    def __init__(self, client_model: ClientModel, local: local_training.LocalModel):
        """`local` is the model that will be trained."""

    def hook(
        self,
        weights: tff.learning.models.ModelWeights,
        batches: tf.data.Dataset,
        control: Sequence[tf.Tensor],
        mask_fn: local_training.MaskFn | None,
    ) -> gradient_hooks.GradientHook:
        """The change of each gradient; called when the local model holds w0.

        Args:
          weights: w0.
          batches: the client's data, once.
          control: c.
          mask_fn: which variables the client trains.
        """


class BatchVariates:
    """Mime: g(w) - g(w0) + c, both gradients of the same batch."""

    def __init__(self, client_model: ClientModel, local: local_training.LocalModel):
        del local
        self._anchor, self._bind = client_model.build_local()

    def hook(
        self,
        weights: tff.learning.models.ModelWeights,
        batches: tf.data.Dataset,
        control: Sequence[tf.Tensor],
        mask_fn: local_training.MaskFn | None,
    ) -> gradient_hooks.GradientHook:
        del batches
        self._bind(weights)

        def anchor_gradients(batch, seed):
            return local_training.batch_gradients(self._anchor, batch, seed, mask_fn).gradients

        return gradient_hooks.control_variate(anchor_gradients, control)


class ClientVariates:
    """SCAFFOLD: g(w) - c_i + c, with c_i the gradient at w0 of all the client's data."""

    def __init__(self, client_model: ClientModel, local: local_training.LocalModel):
        del client_model
        self._local = local

    def hook(
        self,
        weights: tff.learning.models.ModelWeights,
        batches: tf.data.Dataset,
        control: Sequence[tf.Tensor],
        mask_fn: local_training.MaskFn | None,
    ) -> gradient_hooks.GradientHook:
        del weights
        own = local_training.full_gradient(self._local, batches, mask_fn).gradient
        return gradient_hooks.shift([c - c_i for c, c_i in zip(control, own, strict=True)])
