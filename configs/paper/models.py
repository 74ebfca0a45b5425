"""The paper's five models, on Stack Overflow at the paper's scale.

Use: --config=configs/paper/models.py:ROW

ROW is one of `MODELS` in configs/paper/_rows.py; by default transformer_large.
"""

import ml_collections

from configs import stackoverflow
from configs.paper import _rows


def get_config(row: str = "transformer_large") -> ml_collections.ConfigDict:
    return _rows.preset(stackoverflow.get_config, _rows.MODELS, row)
