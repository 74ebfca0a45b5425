"""FedMuon, Muon at the server: the mean change of each matrix is orthogonalized.

Clients train as in federated averaging, and send as much. After Jordan et al. 2024 (Muon), Liu et
al. 2025 (arXiv 2502.16982: the scale of a step) and Therien et al. 2025, "MuLoCo" (arXiv
2505.23725); `optimizers/muon.py` has the formula and its hyperparameters.
"""

from tff_lm.learning.algorithms.fed_avg import FedAvg
from tff_lm.learning.registry import ALGORITHMS


@ALGORITHMS.register("fed_muon")
class FedMuon(FedAvg):
    """Defaults of its own; the rates are starting points."""

    server_optimizer = "muon"
    server_learning_rate = 0.02
