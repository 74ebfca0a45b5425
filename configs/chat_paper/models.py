"""The paper's five models, on chat at this machine's scale.

Use: --config=configs/chat_paper/models.py:ROW

ROW is one of `MODELS` in configs/paper/_rows.py; by default transformer_large.
"""

import ml_collections

from configs import chat
from configs.paper import _rows


def get_config(row: str = "transformer_large") -> ml_collections.ConfigDict:
    return _rows.preset(chat.get_config, _rows.MODELS, row)
