"""The embedded default: a small Transformer on 626 people's chat messages, minutes on 2 cores."""

import ml_collections

from tff_lm.config import default_config


def get_config() -> ml_collections.ConfigDict:
    return default_config()
