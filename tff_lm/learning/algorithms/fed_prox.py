"""FedProx, a term that pulls clients to where they began.

Li et al. 2020, "Federated Optimization in Heterogeneous Networks" (arXiv 1812.06127), equation 2.
"""

from tff_lm.learning.algorithms.fed_avg import FedAvg
from tff_lm.learning.registry import ALGORITHMS


@ALGORITHMS.register("fed_prox")
class FedProx(FedAvg):
    """Defaults of its own; the rates are starting points."""

    proximal_mu = 0.01
