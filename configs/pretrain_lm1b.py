"""Central pre-training on the One Billion Word benchmark, in the sub-words of Stack Overflow.

So a federated run of `configs/stackoverflow.py` can start from all of the weights. Both are
downloaded once; --config.task.vocabulary= (empty) does without the second.
Use: python -m bin.pretrain --config=configs/pretrain_lm1b.py --workdir=DIR
"""

import ml_collections

from tff_lm.config import default_config


def get_config() -> ml_collections.ConfigDict:
    config = default_config()
    config.task.name = "lm1b"
    config.task.vocabulary = "stackoverflow"
    config.pretrain.passes = 1
    config.pretrain.steps_per_round = 1000
    config.evaluation.every = 20
    config.checkpoint.every = 5
    return config
