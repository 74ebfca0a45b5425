"""How often each variable of a run was trained, computed again as the clients computed it.

A mask is a function of (run seed, round, client), so no run has to write its masks down.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import tensorflow as tf

from tff_lm import config as config_lib
from tasks.errors import TaskError
from tff_lm.client_order import ClientOrder, parse_in_graph
from tff_lm.config import ConfigError
from tff_lm.experiment import settings, task_and_model
from tff_lm.learning.partial import trained_mask
from tff_lm.program import sampling
from tff_lm.run_folder import metrics_table
from tff_lm.run_folder.workdir import Workdir


@dataclasses.dataclass(frozen=True)
class MaskCounts:
    """What the clients of a run trained.

    Attributes:
      names: of all variables.
      sizes: int64[variables], their parameters.
      times: int64[variables], how many clients trained each, over all rounds.
      client_rounds: how many could have.
      wanted_fraction: of the parameters, as the run was configured.
    """

    names: tuple[str, ...]
    sizes: np.ndarray
    times: np.ndarray
    client_rounds: int
    wanted_fraction: float

    @property
    def mean_fraction(self) -> float:
        """Of the parameters, how many a client trained, on average."""
        return float(self.sizes @ self.times) / (self.client_rounds * int(self.sizes.sum()))


def count(workdir: Workdir) -> MaskCounts:
    """Recomputes every mask of the rounds that a run has done so far.

    Raises:
      ConfigError: if there is no run in `workdir`, none of its rounds is done, or its data are
        not there any more.
    """
    config = config_lib.read_json(workdir.config)
    rounds = _rounds_done(workdir)
    try:
        task = settings.prepared_task(config)
        model = task_and_model.client_model(config, task)
    except (TaskError, ValueError) as error:
        raise ConfigError(str(error)) from error
    clients = task.client_ids("train")
    times = np.zeros([len(model.partition.names)], np.int64)
    for number in range(1, rounds + 1):
        cohort = sampling.cohort(
            clients, config.federated.clients_per_round, seed=config.seed, round_number=number
        )
        for client in cohort:
            order = ClientOrder(config.seed, number, client).encode()
            seed = parse_in_graph(tf.constant(order)).seed
            # The program counts rounds from 1 (0 is before all training), the process from 0.
            times += trained_mask(model, number - 1, seed)
    return MaskCounts(
        names=tuple(name.removesuffix(":0") for name in model.partition.names),
        sizes=np.array([math.prod(shape) for shape in model.partition.shapes], np.int64),
        times=times,
        client_rounds=rounds * config.federated.clients_per_round,
        wanted_fraction=config.partial.fraction,
    )


def _rounds_done(workdir: Workdir) -> int:
    rows = metrics_table.read_rows(workdir.metrics) if workdir.metrics.is_file() else []
    if not rows or rows[-1]["round"] < 1:
        raise ConfigError(f"{workdir.root} has not done a round yet")
    return int(rows[-1]["round"])
