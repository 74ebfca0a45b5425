"""The embedded default: a small Transformer on 627 people's chat messages, minutes on 2 cores.

Use: --config=configs/chat.py, or --config=configs/chat.py:MODEL for another model with learning
rates that suit it.

FedAdam was the best of the five algorithms in configs/sweeps/optimizers.py, and 0.01 the best
rate of its server in 40 rounds. Over the whole length, one seed each, on the test people:

- as it stands: 121.2 (before cohorts were ordered by size, which changed the bits);
- --config.algorithm.server_learning_rate=0.01: 123.6;
- the same with --config.federated.local_epochs=2 --config.federated.rounds=150
  --config.server_schedule.decay=140, for the same computing and half the bytes: 144.3.
"""

import ml_collections

from configs import _rates
from tff_lm.config import default_config


def get_config(model: str = "transformer_small") -> ml_collections.ConfigDict:
    client, server = _rates.of(model)
    config = default_config()
    config.model.name = model
    config.federated.rounds = 300
    config.federated.clients_per_round = 6
    config.algorithm.client_learning_rate = client
    config.algorithm.server_learning_rate = server
    config.algorithm.server_epsilon = 1e-5
    config.server_schedule.name = "linear"
    config.server_schedule.warmup = 10
    config.server_schedule.decay = 290
    config.server_schedule.final_factor = 0.1
    config.evaluation.every = 20
    config.checkpoint.every = 40
    return config
