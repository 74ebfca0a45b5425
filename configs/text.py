"""Your own text: a JSON lines or CSV file, or a folder with one file a user.

Use: python -m bin.train --config=configs/text.py --config.task.path=FILE --workdir=DIR
"""

import ml_collections

from tff_lm.config import default_config


def get_config() -> ml_collections.ConfigDict:
    config = default_config()
    config.task.name = "text"
    return config
