"""Quantized uploads and downloads, on Stack Overflow at the paper's scale.

Use: --config=configs/paper/quantization.py:ROW

ROW is one of `QUANTIZATION` in configs/paper/_rows.py; by default upload_8.
"""

import ml_collections

from configs import stackoverflow
from configs.paper import _rows


def get_config(row: str = "upload_8") -> ml_collections.ConfigDict:
    return _rows.preset(stackoverflow.get_config, _rows.QUANTIZATION, row)
