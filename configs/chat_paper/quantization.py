"""Quantized uploads and downloads, on chat at this machine's scale.

Use: --config=configs/chat_paper/quantization.py:ROW

ROW is one of `QUANTIZATION` in configs/paper/_rows.py; by default upload_8.
"""

import ml_collections

from configs import chat
from configs.paper import _rows


def get_config(row: str = "upload_8") -> ml_collections.ConfigDict:
    return _rows.preset(chat.get_config, _rows.QUANTIZATION, row)
