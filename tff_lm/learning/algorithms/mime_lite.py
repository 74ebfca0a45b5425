"""MimeLite: clients apply the server's optimizer state, which only the server changes.

Karimireddy et al. 2020, "Mime: Mimicking Centralized Stochastic Algorithms in Federated Learning"
(arXiv 2008.03606), Algorithm 1 without the correction. Beside its update, each client uploads the
full gradient of its loss at the round's weights w0; the server steps the base optimizer's state
with their mean. Equal to `tff.learning.algorithms.build_weighted_mime_lite`.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import tensorflow as tf

from tff_lm.learning import server
from tff_lm.learning.algorithms.algorithm import Algorithm, ClientReport, Mean, Shared
from tff_lm.learning.client import Client
from tff_lm.learning.local_optimizers import FixedState, LocalOptimizer
from tff_lm.learning.registry import ALGORITHMS


@ALGORITHMS.register("mime_lite")
class MimeLite(Algorithm):
    """Shared: the slots of the clients' optimizer (coded), and its steps by variable (exact)."""

    def initial_shared(self) -> Shared:
        slots = server.initial_slots(self.client_optimizer, self.variables)
        exact = OrderedDict(steps=tf.zeros([len(self.variables)], tf.int32))
        return Shared(OrderedDict(slots=slots), exact)

    def client_step(self, client: Client, shared: Shared, kept: Any) -> ClientReport:
        del kept
        full = client.full_gradient()  # before training: at the weights of the round
        gradient, _ = client.upload(full.gradient, full.result)
        result = client.train(self.base_optimizer(client, shared), self.hooks(client))
        update, row = client.upload(client.change(), result)
        return ClientReport(update, row, gradient)

    def next_shared(self, shared: Shared, mean: Mean, current_pass: tf.Tensor) -> Shared:
        del current_pass
        slots, steps = self.stepped(shared, mean)
        return Shared(OrderedDict(shared.coded, slots=slots), OrderedDict(steps=steps))

    def base_optimizer(self, client: Client, shared: Shared) -> LocalOptimizer:
        """The clients' optimizer with the server's state, which no local step changes."""
        local, slots = client.local, [tuple(each) for each in shared.coded["slots"]]
        return FixedState(
            self.client_optimizer, local.names, local.variables, slots, shared.exact["steps"]
        )

    def stepped(self, shared: Shared, mean: Mean) -> tuple[server.Slots, tf.Tensor]:
        """The base optimizer's state after a step with the mean gradient: slots, int32[n]."""
        old, steps = [tuple(each) for each in shared.coded["slots"]], shared.exact["steps"]
        # Only the slots matter; the optimizer wants variables to step, which are thrown away.
        unused = [tf.zeros_like(value) for value in mean.values]
        state = server.Server(
            self.client_optimizer,
            [variable.name for variable in self.variables],
            unused,
            old,
            learning_rate=tf.constant(0.0),
            steps=steps,
        )
        weights, _ = server.accepted_weights(mean.values, mean.weights)
        touched = state.optimize(mean.values, weights)
        return state.slot_values(), steps + touched
