"""The tables and curves of the paper, on chat at this machine's scale.

Use: --config=configs/chat_paper.py:TABLE/ROW, such as combination/transformer_large_efficient

- combination: all techniques together, and the LSTMs
- models: the paper's five models
- optimizers: algorithms and local work that save rounds
- partial: partial training, who trains what part
- quantization: quantized uploads and downloads
- transfer: where a run starts: from scratch, from pre-trained weights, a part of them, with LoRA

The rows are in configs/_paper_rows.py. But for transfer/scratch, a run of transfer needs first:
python -m bin.pretrain --config=configs/pretrain_sotu.py --workdir=runs/pretrain/transformer_large \
  --config.model.name=transformer_large
"""

import ml_collections

from configs import _paper_rows, chat


def get_config(row: str = "combination") -> ml_collections.ConfigDict:
    return _paper_rows.preset(chat.get_config, row)
