"""Mime: MimeLite whose clients correct each gradient, g(w) - g(w0) + c.

Karimireddy et al. 2020 (arXiv 2008.03606), Algorithm 1. The correction needs c, the cohort's mean
gradient at the round's weights w0, before training starts. A round therefore takes two passes over
the *same* cohort: the first collects gradients and leaves the model as it is, the second trains.
Each is one exchange of messages, as in the paper. The model travels, and is counted, in both.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import tensorflow as tf

from tff_lm.learning import gradient_hooks, local_training, server
from tff_lm.learning.algorithms.algorithm import ClientReport, Mean, Shared
from tff_lm.learning.algorithms.mime_lite import MimeLite
from tff_lm.learning.client import Client
from tff_lm.learning.registry import ALGORITHMS

_GRADIENT_PASS, _TRAINING_PASS = 0, 1


@ALGORITHMS.register("mime")
class Mime(MimeLite):
    """Shared: what MimeLite shares, c (`control`, coded), and the weights of c (exact)."""

    passes = 2

    def initial_shared(self) -> Shared:
        base = super().initial_shared()
        control = tuple(tf.zeros(variable.shape) for variable in self.variables)
        weights = tf.zeros([len(self.variables)])
        return Shared(
            OrderedDict(base.coded, control=control), OrderedDict(base.exact, weights=weights)
        )

    def client_step(self, client: Client, shared: Shared, kept: Any) -> ClientReport:
        del kept

        def collect():
            full = client.full_gradient()
            gradient, row = client.upload(full.gradient, full.result)
            return ClientReport(gradient.nothing(), row, gradient)

        def train():
            result = client.train(
                self.base_optimizer(client, shared),
                [self._correction(client, shared), *self.hooks(client)],
            )
            update, row = client.upload(client.change(), result)
            return ClientReport(update, row, update.nothing())

        return tf.cond(tf.equal(client.current_pass, _GRADIENT_PASS), collect, train)

    def _correction(self, client: Client, shared: Shared) -> gradient_hooks.GradientHook:
        """g(w) - g(w0) + c, both gradients of the same batch."""
        anchor = client.copy_at_start()

        def anchor_gradients(batch, seed):
            return local_training.batch_gradients(anchor, batch, seed, client.mask_fn).gradients

        return gradient_hooks.control_variate(anchor_gradients, tuple(shared.coded["control"]))

    def next_shared(self, shared: Shared, mean: Mean, current_pass: tf.Tensor) -> Shared:
        """C after the first pass; the optimizer's state, stepped with c, after the second."""
        control = Mean(tuple(shared.coded["control"]), shared.exact["weights"])
        trains = tf.equal(current_pass, _TRAINING_PASS)
        stepping = tf.where(trains, control.weights, tf.zeros_like(control.weights))
        slots, steps = self.stepped(shared, Mean(control.values, stepping))
        _, square = server.accepted_weights(mean.values, mean.weights)
        collected = tf.logical_not(trains) & tf.math.is_finite(square)
        control = tf.cond(
            collected, lambda: Mean(tuple(mean.values), mean.weights), lambda: control
        )
        return Shared(
            OrderedDict(slots=slots, control=control.values),
            OrderedDict(steps=steps, weights=control.weights),
        )
