"""Algorithms and local work that save rounds, on Stack Overflow at the paper's scale.

Use: --config=configs/paper/optimizers.py:ROW

ROW is one of `OPTIMIZERS` in configs/paper/_rows.py; by default fed_adam.
"""

import ml_collections

from configs import stackoverflow
from configs.paper import _rows


def get_config(row: str = "fed_adam") -> ml_collections.ConfigDict:
    return _rows.preset(stackoverflow.get_config, _rows.OPTIMIZERS, row)
