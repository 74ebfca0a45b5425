"""The federated algorithms by name, and their options."""

import dataclasses
from collections.abc import Callable

import tensorflow_federated as tff

from tff_lm.learning.client_work import Channels, ClientModel, ClientOptions, build_client_work
from tff_lm.learning.local_training import LocalOptions
from tff_lm.learning.mime import build_mime_lite_work, build_mime_work, build_scaffold_work
from tff_lm.learning.schedules import ScheduleOptions
from tff_lm.learning.update_rules import UpdateRule, build_update_rule


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


def resolve(options: AlgorithmOptions) -> Algorithm:
    """The algorithm named, with its defaults replaced by what the options say.

    Raises:
      ValueError: If the name is unknown.
    """
    if options.name not in ALGORITHMS:
        raise ValueError(f"algorithm {options.name!r} is unknown; use one of {sorted(ALGORITHMS)}")
    names = ("server_optimizer", "server_learning_rate", "server_epsilon", "proximal_mu")
    given = {name: getattr(options, name) for name in names}
    chosen = {name: value for name, value in given.items() if value is not None}
    return dataclasses.replace(ALGORITHMS[options.name], **chosen)


def client_options(options: AlgorithmOptions, algorithm: Algorithm) -> ClientOptions:
    """What clients do, by the options and the resolved algorithm."""
    rule = build_update_rule(
        options.client_optimizer, momentum=options.client_momentum, epsilon=options.client_epsilon
    )
    return ClientOptions(
        learning_rate=options.client_learning_rate,
        rule=rule,
        round_schedule=options.client_round_schedule,
        local=options.local,
        proximal_mu=algorithm.proximal_mu,
    )


def server_rule(options: AlgorithmOptions, algorithm: Algorithm) -> UpdateRule:
    """The server's optimizer, by the options and the resolved algorithm."""
    return build_update_rule(
        algorithm.server_optimizer,
        momentum=options.server_momentum,
        beta_1=options.server_beta_1,
        beta_2=options.server_beta_2,
        epsilon=algorithm.server_epsilon,
    )
