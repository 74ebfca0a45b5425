"""Options of what clients and server compute in a round."""

from __future__ import annotations

import dataclasses
import functools
import re

from tff_lm import expressions
from tff_lm.learning.registry import (
    ALGORITHMS,
    AVERAGES,
    OPTIMIZERS,
    ORDERS,
    POLICIES,
    SCHEDULES,
    WEIGHTINGS,
)
from tff_lm.options import option


@dataclasses.dataclass(frozen=True)
class AlgorithmOptions:
    """Optimizers at the clients and at the server."""

    name: str = option("fed_adam", "the federated algorithm", choices=ALGORITHMS)
    client_learning_rate: float = option(0.5, "of the client optimizer", minimum=0)
    server_learning_rate: float = option(
        0.0, "of the server optimizer; 0: the algorithm's own", minimum=0
    )
    client_optimizer: str = option(
        "sgd",
        "the clients' optimizer, such as 'adam(epsilon=0.001)'",
        choices=OPTIMIZERS,
        normalize=functools.partial(expressions.spelling, registry=OPTIMIZERS),
    )
    server_optimizer: str = option(
        "",
        "the server's optimizer; empty: the algorithm's own",
        choices=OPTIMIZERS,
        normalize=lambda text: text and expressions.spelling(text, OPTIMIZERS),
    )
    client_momentum: float = option(0.9, "of 'momentum'", minimum=0, maximum=0.9999)
    server_momentum: float = option(0.9, "of fed_avg_m and fed_muon", minimum=0, maximum=0.9999)
    server_beta_1: float = option(
        0.9, "of fed_adam, fed_yogi and fed_muon", minimum=0, maximum=0.9999
    )
    server_beta_2: float = option(
        0.99, "of fed_adam, fed_yogi and fed_muon", minimum=0, maximum=0.9999
    )
    server_epsilon: float = option(0.0, "adaptivity; 0: the algorithm's own", minimum=0)
    proximal_mu: float = option(0.0, "FedProx' mu; 0: the algorithm's own", minimum=0)
    averaging: str = option(
        "",
        "the average of the rounds' models that is evaluated, 'ema(decay=0.9)'; empty: the last",
        choices=AVERAGES,
        normalize=lambda text: text and expressions.spelling(text, AVERAGES),
    )
    weighting: str = option("tokens", "a client's weight in the mean", choices=WEIGHTINGS)
    clip_norm: float = option(0.0, "most norm of a batch gradient; 0: any", minimum=0)


@dataclasses.dataclass(frozen=True)
class ScheduleOptions:
    """Factor on a learning rate, by round or by local step.

    Attributes:
      name: The shape after the warm-up.
      warmup: Steps over which the factor first grows linearly up to 1.
      decay: Steps after the warm-up in which a decaying schedule reaches `final_factor`.
      final_factor: The factor at the end of a decay, in [0, 1].
    """

    name: str = option("constant", "shape after the warm-up", choices=SCHEDULES)
    warmup: int = option(0, "{unit}s of linear growth up to 1", minimum=0)
    decay: int = option(0, "{unit}s in which a decay reaches its end", minimum=0)
    final_factor: float = option(0.0, "the end of a decay", minimum=0, maximum=1)


@dataclasses.dataclass(frozen=True)
class PartialOptions:
    """Which variables a client trains and uploads."""

    policy: str = option("full", "who trains which variables", choices=POLICIES)
    fraction: float = option(1.0, "of all parameters, trained", minimum=0, maximum=1)
    order: str = option("random", "in which policy 'fixed' freezes", choices=ORDERS)
    include: str = option("", "regular expression: variables that may be frozen; all")
    min_size: int = option(2048, "elements of a matrix that may be frozen", minimum=1)

    def __post_init__(self):
        if not 0.0 <= self.fraction <= 1.0:
            raise ValueError(f"partial.fraction must lie in [0, 1], got {self.fraction}")
        if self.policy not in POLICIES:
            raise ValueError(f"partial.policy {self.policy!r} is unknown; use one of {[*POLICIES]}")
        if self.order not in ORDERS:
            raise ValueError(f"partial.order {self.order!r} is unknown; use one of {[*ORDERS]}")
        if self.order != "random" and self.policy != "fixed":
            raise ValueError(
                f"partial.order {self.order!r} is for the policy 'fixed' alone; under "
                f"{self.policy!r} every variable has its turn"
            )
        try:
            re.compile(self.include)
        except re.error as error:
            raise ValueError(
                f"partial.include {self.include!r} is no regular expression: {error}"
            ) from error


@dataclasses.dataclass(frozen=True)
class LearningOptions:
    """All that clients and server compute with in a round.

    Attributes:
      algorithm: Its name, optimizers and hyperparameters.
      server_schedule: Factor on the server's learning rate, by round.
      client_schedule: Factor on the clients' learning rate, by round.
      local_schedule: Factor on it by local step within a round.
      local_epochs: How often a client goes through its batches, each time in their order (McMahan
        et al. 2017, Algorithm 1: split once).
      local_steps: If positive, at most this many local steps.
      population: How many clients there are in all, of which cohorts are drawn.
    """

    algorithm: AlgorithmOptions = AlgorithmOptions()
    server_schedule: ScheduleOptions = ScheduleOptions()
    client_schedule: ScheduleOptions = ScheduleOptions()
    local_schedule: ScheduleOptions = ScheduleOptions()
    local_epochs: int = 1
    local_steps: int = 0
    population: int = 1

    def __post_init__(self):
        if self.local_epochs < 1 or self.local_steps < 0:
            raise ValueError(
                f"local_epochs = {self.local_epochs} must be at least 1, and local_steps = "
                f"{self.local_steps} not negative"
            )
