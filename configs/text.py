"""Your own text: a table (CSV, JSON, Parquet, ...), or a folder with one file a user.

What is read, and how: docs/your_text.md

Use: python -m bin.train --config=configs/text.py --config.task.path=FILE --workdir=DIR
"""

import ml_collections

from tff_lm.config import default_config


def get_config() -> ml_collections.ConfigDict:
    config = default_config()
    config.task.name = "text"
    return config
