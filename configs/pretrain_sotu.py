"""Central pre-training on 202 State of the Union addresses, in the sub-words of the chat task.

So a federated run of `configs/chat.py` can start from all of the weights. Use:
python -m bin.pretrain --config=configs/pretrain_sotu.py --workdir=DIR
"""

import ml_collections

from tff_lm.config import default_config


def get_config() -> ml_collections.ConfigDict:
    config = default_config()
    config.task.name = "sotu"
    config.task.vocabulary = "chat"
    # Half of the sentences are longer than a chat message ever is.
    config.federated.max_length = 64
    config.pretrain.passes = 2
    config.pretrain.steps_per_round = 50
    config.evaluation.every = 5
    config.evaluation.examples_per_client = 40
    config.checkpoint.every = 5
    return config
