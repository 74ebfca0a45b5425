"""Which variables a run freezes whatever its policy of partial training."""

from __future__ import annotations

import re

from ml_collections import ConfigDict

from tff_lm.learning.freezing import IsFrozen
from tff_lm.models.lora import is_adapter


def frozen(config: ConfigDict) -> IsFrozen:
    """Which variables are frozen whatever the policy: with LoRA, all matrices of the model."""
    pattern, matrices = config.warm_start.freeze, config.lora.rank > 0

    def is_frozen(name: str, shape: tuple[int, ...]) -> bool:
        if matrices and len(shape) > 1 and not is_adapter(name):
            return True
        return bool(pattern) and re.search(pattern, name) is not None

    return is_frozen
