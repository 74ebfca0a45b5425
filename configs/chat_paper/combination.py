"""All techniques together, and the LSTMs, on chat at this machine's scale.

Use: --config=configs/chat_paper/combination.py:ROW

ROW is one of `COMBINATION` in configs/paper/_rows.py; by default transformer_large_efficient.
"""

import ml_collections

from configs import chat
from configs.paper import _rows


def get_config(row: str = "transformer_large_efficient") -> ml_collections.ConfigDict:
    return _rows.preset(chat.get_config, _rows.COMBINATION, row)
