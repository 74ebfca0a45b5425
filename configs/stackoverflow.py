"""TFF's Stack Overflow at the paper's scale: hundreds of clients a round, thousands of rounds.

Downloaded once, to where TFF keeps it (~/.tff); or --config.task.path=FOLDER with TFF's file.
"""

import ml_collections

from tff_lm.config import default_config


def get_config(model: str = "transformer_small") -> ml_collections.ConfigDict:
    config = default_config()
    config.model.name = model
    config.task.name = "stackoverflow"
    config.federated.rounds = 3000
    config.federated.clients_per_round = 200
    config.federated.examples_per_client = 1200
    config.evaluation.every = 100
    config.evaluation.clients = 200
    config.checkpoint.every = 50
    return config
