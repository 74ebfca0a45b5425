"""Seconds long: a tiny model on a few short messages. For tests and for trying things out.

Needs the corpus: --config.task.path=FILE (JSON lines with the columns "user" and "text").
"""

import ml_collections

from tff_lm.config import default_config


def get_config() -> ml_collections.ConfigDict:
    config = default_config()
    config.task.name = "text"
    config.task.vocabulary_size = 300
    config.model.name = "transformer_tiny"
    config.federated.rounds = 4
    config.federated.clients_per_round = 3
    config.federated.examples_per_client = 16
    config.federated.batch_size = 4
    config.federated.max_length = 12
    config.evaluation.every = 2
    config.evaluation.clients = 2
    config.checkpoint.every = 2
    config.runtime.precision = "float32"
    return config
