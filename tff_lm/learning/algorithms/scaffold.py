"""SCAFFOLD: each client keeps a control variate, and corrects its gradients by g(w) - c_i + c.

Karimireddy et al. 2020, "SCAFFOLD: Stochastic Controlled Averaging for Federated Learning" (arXiv
1910.06378), Algorithm 1 with option II. With x the round's weights and y those after K local steps
of rates r_1..r_K (the paper's K eta_l where they are equal):

    c_i+ = c_i - c + (x - y) / (r_1 + ... + r_K)
    c+   = c + |S| / N * mean over the cohort S of (c_i+ - c_i)

c_i stays with client i until its next round (`runtime/rounds/client_states.py`), 0 before its
first; the change c_i+ - c_i is uploaded beside the update, as large as that. Clients weigh alike in
c, whatever they weigh in the mean of updates. Of a variable that a client does not train in a round
its variate stays as it is, and that client is not in S for it. Where uploads go through a lossy
codec, c drifts from the mean of the c_i by the codec's errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tff_lm.learning import gradient_hooks, local_training, server
from tff_lm.learning.algorithms.algorithm import Algorithm, ClientReport, Mean, Shared
from tff_lm.learning.client import Client
from tff_lm.learning.options import LearningOptions
from tff_lm.learning.registry import ALGORITHMS
from tff_lm.learning.weights import VariableSpec


@ALGORITHMS.register("scaffold")
class Scaffold(Algorithm):
    """Shared: c (coded). Kept: c_i. Both are tuples of a tensor for each trained variable."""

    def __init__(self, options: LearningOptions, variables: Sequence[VariableSpec]):
        super().__init__(options, variables)
        if options.algorithm.client_optimizer != "sgd":
            raise ValueError(
                "algorithm 'scaffold' needs client_optimizer 'sgd'; for others, use 'mime'"
            )

    def initial_shared(self) -> Shared:
        return Shared(coded=_zeros(self.variables))

    def initial_kept(self) -> tuple[tf.Tensor, ...]:
        return _zeros(self.variables)

    def client_step(self, client: Client, shared: Shared, kept: Any) -> ClientReport:
        control, own = tuple(shared.coded), tuple(kept)
        correction = gradient_hooks.shift([c - c_i for c, c_i in zip(control, own, strict=True)])
        result = client.train(
            client.fresh_optimizer(self.client_optimizer), [correction, *self.hooks(client)]
        )
        change = client.change()
        update, row = client.upload(change, result)
        differences = _differences(client, result, change, control)
        upload, _ = client.upload(differences, result, weighting="uniform")
        # Zeros of what is not finite: then the client keeps what it had.
        kept = tuple(c_i + d for c_i, d in zip(own, upload.values, strict=True))
        return ClientReport(update, row, upload, kept)

    def next_shared(self, shared: Shared, mean: Mean, current_pass: tf.Tensor) -> Shared:
        del current_pass
        # A mean that is not finite changes nothing.
        weights, _ = server.accepted_weights(mean.values, mean.weights)
        # Clients weigh 1 each, so the sum of weights is |S|.
        share = tf.unstack(weights / float(self.options.population), len(mean.values))
        terms = zip(shared.coded, share, mean.values, strict=True)
        return Shared(
            coded=tuple(c + tf.math.multiply_no_nan(value, part) for c, part, value in terms)
        )


def _zeros(variables: Sequence[VariableSpec]) -> tuple[tf.Tensor, ...]:
    return tuple(tf.zeros(variable.shape) for variable in variables)


def _differences(
    client: Client,
    result: local_training.LocalResult,
    change: Sequence[tf.Tensor],
    control: Sequence[tf.Tensor],
) -> tuple[tf.Tensor, ...]:
    """c_i+ - c_i for each variable; zeros for one that the client did not train."""
    rates, mask = client.rate_sum(result), client.mask(result)
    trained = rates > 0.0 if mask is None else tf.logical_and(rates > 0.0, mask)
    return tuple(
        tf.cond(
            trained if mask is None else trained[i],
            lambda i=i: change[i] / rates - control[i],
            lambda i=i: tf.zeros_like(change[i]),
        )
        for i in range(len(change))
    )
