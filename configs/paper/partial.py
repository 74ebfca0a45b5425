"""Partial training: who trains what part, on Stack Overflow at the paper's scale.

Use: --config=configs/paper/partial.py:ROW

ROW is one of `PARTIAL` in configs/paper/_rows.py; by default per_client_per_round_40.
"""

import ml_collections

from configs import stackoverflow
from configs.paper import _rows


def get_config(row: str = "per_client_per_round_40") -> ml_collections.ConfigDict:
    return _rows.preset(stackoverflow.get_config, _rows.PARTIAL, row)
