"""Federated averaging: clients train on their own text, the server takes the mean of the changes.

McMahan et al. 2017, "Communication-Efficient Learning of Deep Networks from Decentralized Data"
(arXiv 1602.05629), Algorithm 1. With another optimizer than SGD at the server it is FedOpt: Reddi
et al. 2021, "Adaptive Federated Optimization" (arXiv 2003.00295), Algorithms 1 and 2.
"""

from __future__ import annotations

from typing import Any

from tff_lm.learning.algorithms.algorithm import Algorithm, ClientReport, Shared
from tff_lm.learning.client import Client
from tff_lm.learning.registry import ALGORITHMS


@ALGORITHMS.register("fed_avg")
class FedAvg(Algorithm):
    """Nothing is shared but the model, clients keep nothing, the server's step is the base's."""

    def client_step(self, client: Client, shared: Shared, kept: Any) -> ClientReport:
        """ClientUpdate: one optimizer step a batch, over all local epochs."""
        del shared, kept
        result = client.train(client.fresh_optimizer(self.client_optimizer), self.hooks(client))
        return ClientReport(*client.upload(client.change(), result))
