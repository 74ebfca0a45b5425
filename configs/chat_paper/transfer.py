"""Where a run starts: from scratch, from pre-trained weights, a part, with LoRA, on chat.

Use: --config=configs/chat_paper/transfer.py:ROW

ROW is one of `TRANSFER` in configs/paper/_rows.py; by default all. But for scratch, first:
python -m bin.pretrain --config=configs/pretrain_sotu.py --workdir=runs/pretrain/transformer_large \
  --config.model.name=transformer_large
"""

import ml_collections

from configs import chat
from configs.paper import _rows


def get_config(row: str = "all") -> ml_collections.ConfigDict:
    return _rows.preset(chat.get_config, _rows.TRANSFER, row)
