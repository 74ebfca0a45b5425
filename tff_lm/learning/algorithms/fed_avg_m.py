"""FedAvgM, momentum at the server.

Hsu et al. 2019, "Measuring the Effects of Non-Identical Data Distribution for Federated Visual
Classification" (arXiv 1909.06335), section 4.3.
"""

from tff_lm.learning.algorithms.fed_avg import FedAvg
from tff_lm.learning.registry import ALGORITHMS


@ALGORITHMS.register("fed_avg_m")
class FedAvgM(FedAvg):
    """Defaults of its own; the rates are starting points."""

    server_optimizer = "momentum"
