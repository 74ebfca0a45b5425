"""Where a run starts: from scratch, from pre-trained weights, a part of them, with LoRA.

Use: --config=configs/paper/transfer.py:ROW

ROW is one of `TRANSFER` in configs/paper/_rows.py; by default all. But for scratch, first:
python -m bin.pretrain --config=configs/pretrain_lm1b.py --workdir=runs/pretrain/transformer_large \
  --config.model.name=transformer_large
"""

import ml_collections

from configs import stackoverflow
from configs.paper import _rows


def get_config(row: str = "all") -> ml_collections.ConfigDict:
    return _rows.preset(stackoverflow.get_config, _rows.TRANSFER, row)
