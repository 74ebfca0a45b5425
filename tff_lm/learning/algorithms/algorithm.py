"""What a federated algorithm is made of: plain TensorFlow; `client_work` and `finalizers` wire it.

A round, with the names of the functions here:

    server    model and `initial_shared` / `next_shared`  --broadcast-->  clients
    client    `client_step`: trains, and says what it uploads and what it keeps for its next round
    clients   update, and upload beside it               --aggregation-->  server
    server    `server_step` on the mean update; `next_shared` on the mean of what came beside it

A new algorithm is one file here, or anywhere (`extensions`), with a subclass that registers itself:

    @ALGORITHMS.register("mine")
    class Mine(FedAvg):
        def client_step(self, client, shared, kept): ...
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import tensorflow as tf

from tff_lm.learning.client import Client, Upload
from tff_lm.learning.gradient_hooks import GradientHook, proximal_term
from tff_lm.learning.optimizers.build import build_optimizer
from tff_lm.learning.options import LearningOptions
from tff_lm.learning.server import Server
from tff_lm.learning.weights import VariableSpec


class Shared(NamedTuple):
    """What the server keeps for the algorithm, and clients download beside the model.

    Attributes:
      coded: A structure of float tensors that travels through the download's codec.
      exact: A structure of small tensors, such as counters, that travels as it is and is not
        counted.
    """

    coded: Any = ()
    exact: Any = ()


class Mean(NamedTuple):
    """What came of the clients' uploads.

    Attributes:
      values: The mean over the clients that sent a variable, a tensor each; zero where nobody did.
      weights: float32[n], the sum of their weights; 0 where nobody did.
    """

    values: Sequence[tf.Tensor]
    weights: tf.Tensor


class ClientReport(NamedTuple):
    """What a client step comes to.

    Attributes:
      update: The change of the model.
      row: float32[K], sums over what was trained on (`metrics`).
      upload: What is sent beside it, the same for all clients; () for nothing.
      kept: What the client keeps until its next round, of the type of `initial_kept`.
    """

    update: Upload
    row: tf.Tensor
    upload: Upload | tuple[()] = ()
    kept: Any = ()


class Algorithm(abc.ABC):
    """A federated algorithm. Its functions are traced, once, into TFF's computations.

    Attributes:
      server_optimizer: Its own server optimizer.
      server_learning_rate: The rate of that optimizer.
      server_epsilon: The adaptivity of that optimizer, where it has one (tau in Reddi et al. 2021,
        who find 1e-3 best for language models).
      proximal_mu: Its own proximal term.
      passes: How often a round calls upon the same cohort.
    """

    server_optimizer: ClassVar[str] = "sgd"
    server_learning_rate: ClassVar[float] = 1.0
    server_epsilon: ClassVar[float] = 1e-3
    proximal_mu: ClassVar[float] = 0.0
    passes: ClassVar[int] = 1

    def __init__(self, options: LearningOptions, variables: Sequence[VariableSpec]):
        """Takes the options; zeros and empty texts in them stand for the algorithm's own.

        Args:
          options: Of the whole of learning.
          variables: Those that are trained.

        Raises:
          ValueError: If an optimizer is unknown, or the algorithm cannot work with the options.
        """
        chosen = options.algorithm
        self.options, self.variables = options, variables
        self.client_optimizer = build_optimizer(
            chosen.client_optimizer, momentum=chosen.client_momentum
        ).for_variables(variables)
        self.optimizer = build_optimizer(
            chosen.server_optimizer or self.server_optimizer,
            momentum=chosen.server_momentum,
            beta_1=chosen.server_beta_1,
            beta_2=chosen.server_beta_2,
            epsilon=chosen.server_epsilon or self.server_epsilon,
        ).for_variables(variables)
        self.server_rate = chosen.server_learning_rate or self.server_learning_rate
        self.mu = chosen.proximal_mu or self.proximal_mu

    def initial_shared(self) -> Shared:
        """What clients of the first round download beside the model; nothing by default."""
        return Shared()

    def initial_kept(self) -> Any:
        """What a client has that takes part for the first time; () if clients keep nothing."""
        return ()

    @abc.abstractmethod
    def client_step(self, client: Client, shared: Shared, kept: Any) -> ClientReport:
        """A client's part of a round (of a pass of it, where there are several).

        Args:
          client: Its text, and a model that holds the weights of the round.
          shared: As downloaded.
          kept: What it kept in its last round, or `initial_kept`.
        """

    def next_shared(self, shared: Shared, mean: Mean, current_pass: tf.Tensor) -> Shared:
        """What the next round's clients download, after the mean of `ClientReport.upload`.

        Args:
          shared: This round's, as the server has it.
          mean: Of the uploads beside the updates.
          current_pass: int32[], counted from 0.
        """
        del mean, current_pass
        return shared

    def server_step(self, server: Server, mean: Mean) -> tf.Tensor:
        """Changes the server's model in place by the mean update; a step of the server's optimizer.

        Returns:
          int32[n], 1 for each variable that was changed.
        """
        return server.optimize(mean.values, mean.weights)

    def hooks(self, client: Client) -> list[GradientHook]:
        """FedProx' term, which composes with every algorithm, unless its strength is 0."""
        return [proximal_term(self.mu, client.local.variables, client.initial)] if self.mu else []
