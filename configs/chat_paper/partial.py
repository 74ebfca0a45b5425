"""Partial training: who trains what part, on chat at this machine's scale.

Use: --config=configs/chat_paper/partial.py:ROW

ROW is one of `PARTIAL` in configs/paper/_rows.py; by default per_client_per_round_40.
"""

import ml_collections

from configs import chat
from configs.paper import _rows


def get_config(row: str = "per_client_per_round_40") -> ml_collections.ConfigDict:
    return _rows.preset(chat.get_config, _rows.PARTIAL, row)
