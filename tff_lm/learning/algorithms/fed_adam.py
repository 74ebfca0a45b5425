"""FedAdam, Adam at the server.

Reddi et al. 2021, "Adaptive Federated Optimization" (arXiv 2003.00295), Algorithm 2.
"""

from tff_lm.learning.algorithms.fed_avg import FedAvg
from tff_lm.learning.registry import ALGORITHMS


@ALGORITHMS.register("fed_adam")
class FedAdam(FedAvg):
    """Defaults of its own; the rates are starting points."""

    server_optimizer = "adam"
    server_learning_rate = 0.01
