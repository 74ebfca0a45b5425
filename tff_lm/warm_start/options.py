"""Options of a warm start."""

from __future__ import annotations

import dataclasses

from tff_lm.options import option

VOCABULARIES = ("same", "transfer")


@dataclasses.dataclass(frozen=True)
class WarmStartOptions:
    """Which weights of another training a run begins with."""

    checkpoint: str = option("", "folder of a run or a SavedModel to load; empty: none")
    which: str = option("best", "of a run's checkpoints: best, latest or a round")
    include: str = option("", "regular expression: variables to load; empty: what fits")
    freeze: str = option("", "regular expression: loaded variables that do not train")
    vocabulary: str = option("same", "or keep shared pieces", choices=VOCABULARIES)
