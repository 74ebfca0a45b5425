"""The federated algorithms by name, and their options."""

import dataclasses
from collections.abc import Callable

import tensorflow_federated as tff

from tff_lm.learning.client_work import Channels, ClientModel, ClientOptions, build_client_work
from tff_lm.learning.local_training import LocalOptions
from tff_lm.learning.mime import build_mime_lite_work, build_mime_work, build_scaffold_work
from tff_lm.learning.schedules import ScheduleOptions
from tff_lm.learning.update_rules import build_update_rule


@dataclasses.dataclass(frozen=True)
class AlgorithmOptions:
    """A federated algorithm and its hyperparameters; None means the algorithm's own default.

    Attributes:
      name: One of `ALGORITHMS`.
      client_learning_rate: Base learning rate of the clients.
      client_optimizer: One of `update_rules.UPDATE_RULES`; for Mime, the base optimizer.
      client_momentum: Of the client optimizer "momentum".
      client_epsilon: Of the adaptive client optimizers.
      client_round_schedule: Factor on the client rate by round.
      server_learning_rate: Base learning rate of the server.
      server_optimizer: One of `update_rules.UPDATE_RULES`.
      server_momentum: Of the server optimizer "momentum".
      server_beta_1: First-moment decay of Adam and Yogi.
      server_beta_2: Second-moment decay of Adam and Yogi.
      server_epsilon: The adaptivity tau of Reddi et al. 2021.
      server_schedule: Factor on the server rate by round.
      proximal_mu: FedProx' mu; it composes with every algorithm.
      local: Weighting, clipping, local epochs and steps, factor on the client rate by local step.
    """

    name: str = "fed_avg"
    client_learning_rate: float = 0.1
    client_optimizer: str = "sgd"
    client_momentum: float = 0.9
    client_epsilon: float | None = None
    client_round_schedule: ScheduleOptions = ScheduleOptions()
    server_learning_rate: float | None = None
    server_optimizer: str | None = None
    server_momentum: float = 0.9
    server_beta_1: float = 0.9
    server_beta_2: float = 0.99
    server_epsilon: float | None = None
    server_schedule: ScheduleOptions = ScheduleOptions()
    proximal_mu: float | None = None
    local: LocalOptions = LocalOptions()


ClientWorkBuilder = Callable[
    [ClientModel, ClientOptions, Channels], tff.learning.templates.ClientWorkProcess
]


@dataclasses.dataclass(frozen=True)
class Algorithm:
    """What distinguishes one algorithm from another.

    Attributes:
      server_optimizer: Its default server optimizer.
      server_learning_rate: The default rate of that optimizer.
      server_epsilon: The default adaptivity of that optimizer, where it has one.
      proximal_mu: Its default proximal term.
      client_work: Builds the clients' part.
      passes: How often `next` is called on the same cohort to complete a round.
    """

    server_optimizer: str = "sgd"
    server_learning_rate: float = 1.0
    server_epsilon: float = 1e-3
    proximal_mu: float = 0.0
    client_work: ClientWorkBuilder = build_client_work
    passes: int = 1


# Reddi et al. 2021 find tau = 1e-3 best for language models; the rates are starting points.
ALGORITHMS: dict[str, Algorithm] = {
    "fed_avg": Algorithm(),
    "fed_avg_m": Algorithm(server_optimizer="momentum"),
    "fed_adam": Algorithm(server_optimizer="adam", server_learning_rate=0.01),
    "fed_yogi": Algorithm(server_optimizer="yogi", server_learning_rate=0.01),
    "fed_adagrad": Algorithm(server_optimizer="adagrad", server_learning_rate=0.1),
    "fed_prox": Algorithm(proximal_mu=0.01),
    "mime_lite": Algorithm(client_work=build_mime_lite_work),
    "mime": Algorithm(client_work=build_mime_work, passes=2),
    "scaffold": Algorithm(client_work=build_scaffold_work, passes=2),
}


def resolve(options: AlgorithmOptions) -> tuple[Algorithm, AlgorithmOptions]:
    """The algorithm, and the options with its defaults filled in.

    Raises:
      ValueError: If the name is unknown.
    """
    if options.name not in ALGORITHMS:
        raise ValueError(f"algorithm {options.name!r} is unknown; use one of {sorted(ALGORITHMS)}")
    algorithm = ALGORITHMS[options.name]
    names = ("server_optimizer", "server_learning_rate", "server_epsilon", "proximal_mu")
    defaults = {name: getattr(algorithm, name) for name in names if getattr(options, name) is None}
    return algorithm, dataclasses.replace(options, **defaults)


def client_options(options: AlgorithmOptions) -> ClientOptions:
    """The clients' part of resolved options."""
    rule = build_update_rule(
        options.client_optimizer, momentum=options.client_momentum, epsilon=options.client_epsilon
    )
    return ClientOptions(
        learning_rate=options.client_learning_rate,
        rule=rule,
        round_schedule=options.client_round_schedule,
        local=options.local,
        proximal_mu=options.proximal_mu or 0.0,
    )
