"""Options of central training."""

from __future__ import annotations

import dataclasses

from tff_lm.learning.registry import SCHEDULES
from tff_lm.options import option


@dataclasses.dataclass(frozen=True)
class PretrainOptions:
    """Central training, by bin.pretrain."""

    passes: int = option(0, "of bin.pretrain over the text; 0: bin.train", minimum=0)
    steps: int = option(0, "most steps of all passes together; 0: all", minimum=0)
    steps_per_round: int = option(100, "what is one round of other options", minimum=1)
    batch_size: int = option(32, "sentences in a batch", minimum=1)
    block_sentences: int = option(20000, "in memory, shuffled together", minimum=1)
    learning_rate: float = option(2e-3, "of AdamW, at its highest", minimum=0)
    warmup: int = option(200, "steps until then", minimum=0)
    decay: str = option("linear", "shape from then to the last step", choices=SCHEDULES)
    final_factor: float = option(0.01, "where a decay ends", minimum=0, maximum=1)
    weight_decay: float = option(0.01, "of matrices, times the learning rate", minimum=0)
    clip_norm: float = option(1.0, "most norm of a gradient; 0: any", minimum=0)
    parts: int = option(0, "of a batch, computed at once; 0: the cores", minimum=0)
