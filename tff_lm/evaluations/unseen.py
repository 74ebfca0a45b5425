"""The model as it stands, on people who write in places of which no text was trained on.

Such as the authors of a whole repository that was left out (`task.unseen`), who are a split of
their own; a run that has it measures it without being asked.
"""

from __future__ import annotations

import dataclasses

from tff_lm.evaluations.global_model import GlobalModel
from tff_lm.evaluations.registry import EVALUATIONS, UNSEEN


@EVALUATIONS.register("unseen")
@dataclasses.dataclass(frozen=True)
class Unseen(GlobalModel):
    """The figures of the global model on the split "unseen", during the run and at its end."""

    @property
    def split(self) -> str:
        return UNSEEN

    @property
    def final_split(self) -> str:
        return UNSEEN
