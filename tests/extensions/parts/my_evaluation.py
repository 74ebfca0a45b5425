"""An evaluation from outside: the model on the last fifth of a client's sentences."""

import dataclasses

from tff_lm.evaluations.registry import EVALUATIONS
from tff_lm.learning.evaluation import Measurement, Part, score_all


@EVALUATIONS.register("lately")
@dataclasses.dataclass(frozen=True)
class Lately(Measurement):
    """What a client wrote last."""

    @property
    def parts(self):
        return (Part(0.8, 1.0),)

    def rows(self, client, parts):
        return {"": score_all(client.local, parts[0])}
