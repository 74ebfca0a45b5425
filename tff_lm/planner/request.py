"""What a user asks the planner for, checked before TensorFlow is imported."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence

from tff_lm.config import ConfigError, find_option
from tff_lm.config.option import nearest

# Of which a client trains a part; "full" is the fraction 1 of any of them.
POLICIES = ("fixed", "per_round", "per_client_per_round", "rolling")


@dataclasses.dataclass(frozen=True)
class Request:
    """A model and what its traffic may come to.

    Attributes:
      model: name of the model.
      vocabulary_size: rows of its embedding.
      upload_bytes: most that a client may upload in a round; infinity for any.
      download_bytes: most that it may download.
      policy: of partial training, one of `POLICIES`.
      fractions: of the parameters, trained; each is offered with every codec.
      clients: in a round's cohort.
      include: regular expression: variables that partial training may freeze; all by default.
    """

    model: str
    vocabulary_size: int = 4000
    upload_bytes: float = math.inf
    download_bytes: float = math.inf
    policy: str = "per_client_per_round"
    fractions: Sequence[float] = (1.0, 0.6, 0.4, 0.2, 0.1)
    clients: int = 200
    include: str = ""

    def __post_init__(self) -> None:
        """Raises ConfigError, naming the flag and a remedy."""
        _named("model", self.model, find_option("model.name").names)
        _named("policy", self.policy, POLICIES)
        smallest = int(find_option("task.vocabulary_size").minimum or 1)
        if self.vocabulary_size < smallest:
            raise ConfigError(f"--vocabulary_size must be at least {smallest}")
        for flag, limit in (
            ("upload_mb", self.upload_bytes),
            ("download_mb", self.download_bytes),
        ):
            if not limit > 0:
                raise ConfigError(f"--{flag} must be above 0")
        if not self.fractions or not all(0 < fraction <= 1 for fraction in self.fractions):
            raise ConfigError("--fractions must be numbers above 0 and up to 1, such as 1,0.4,0.1")
        try:
            re.compile(self.include)
        except re.error as error:
            raise ConfigError(
                f"--include={self.include} is no regular expression: {error}"
            ) from None


def _named(flag: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        hint = nearest(name, names) or f"; it is one of {', '.join(names)}"
        raise ConfigError(f"--{flag}: there is no {name!r}{hint}")
