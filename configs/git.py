"""The histories of Git repositories, one client an author: real people, a power law of sizes.

Use: git clone --bare URL, for each, and then
python -m bin.train --config=configs/git.py --config.task.path=REPO[,REPO...] --workdir=DIR
with --config.task.unseen=REPO to measure on a whole repository that is not trained on, too.
"""

import ml_collections

from tff_lm.config import default_config


def get_config() -> ml_collections.ConfigDict:
    config = default_config()
    config.task.name = "git"
    # Sentences have up to 60 words; half of them have less than 12.
    config.federated.max_length = 40
    config.federated.clients_per_round = 32
    config.evaluation.clients = 64
    # A few authors wrote thousands of sentences: all of them would be the evaluation.
    config.evaluation.examples_per_client = 200
    return config
