"""Shakespeare's plays, one client a (play, speaker): a small, embedded, second corpus."""

import ml_collections

from tff_lm.config import default_config


def get_config() -> ml_collections.ConfigDict:
    config = default_config()
    config.task.name = "shakespeare"
    return config
