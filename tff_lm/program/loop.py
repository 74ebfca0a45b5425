"""The training program: rounds, evaluations and checkpoints.

Every number that is written depends on (configuration, round) alone, but for the wall-clock
columns: a run that was killed and resumed leaves the same files as one that was not.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from tff_lm.client_order import ClientOrder
from tff_lm.program import evaluation, rejections, resume, sampling, traffic
from tff_lm.program.contracts import Experiment
from tff_lm.program.interrupt import Interrupts
from tff_lm.run_folder import metrics_columns
from tff_lm.run_folder.checkpoints import CheckpointStore
from tff_lm.run_folder.metrics_columns import MetricsColumns
from tff_lm.run_folder.run_log import Row, RunLog
from tff_lm.run_folder.workdir import Workdir
from tff_lm.runtime.errors import RuntimeFailure


def train(experiment: Experiment, workdir: Workdir, interrupts: Interrupts) -> list[Row]:
    """Trains up to `federated.rounds`, from wherever `workdir` stands.

    Returns:
      The rows of metrics.csv, one a round, beginning with round 0 (before any training).

    Raises:
      RunError: if a checkpoint could not be written or does not fit the experiment.
      Interrupted: after a signal, once the round under way has its checkpoint.
    """
    config = experiment.config
    rounds = config.federated.rounds
    store = CheckpointStore(workdir.checkpoints, config.checkpoint.keep)
    done = resume.restore(experiment, store)
    attendance = sampling.Attendance(
        experiment.clients.train, config.federated.clients_per_round, seed=config.seed
    )
    columns = MetricsColumns(evaluation.measures(experiment))
    with (
        RunLog(workdir, columns, done=done, rounds=rounds) as log,
        _rescued(experiment, store, done),
    ):
        interrupts.defer()
        for number in range(done + 1, rounds + 1):
            row = _train_round(experiment, attendance, number) if number else _first_row()
            if number == rounds or _due(config.evaluation.every, number):
                row |= _evaluate(experiment)
            log.add(row)
            rejections.check_progress(log.rows)
            due = number > 0 and _due(config.checkpoint.every, number)
            if due or number == rounds or interrupts.requested:
                log.sync()
                resume.save(experiment, store, number, score=row.get("validation_loss"))
            interrupts.raise_if_requested()
        interrupts.raise_at_once()
    return log.rows


@contextlib.contextmanager
def _rescued(experiment: Experiment, store: CheckpointStore, done: int) -> Iterator[None]:
    """Turns the end of the runtime into a checkpoint and a RunError."""
    try:
        yield
    except RuntimeFailure as failure:
        raise resume.rescue(experiment, store, done, failure) from failure


def _train_round(experiment: Experiment, attendance: sampling.Attendance, number: int) -> Row:
    """Computes one round and returns its figures."""
    config = experiment.config
    cohort = sampling.cohort(
        experiment.clients.train,
        config.federated.clients_per_round,
        seed=config.seed,
        round_number=number,
    )
    # The order is that of the sums, too, so it must follow from the data alone, as it does.
    ordered = experiment.longest_first(cohort)
    orders = [ClientOrder(config.seed, number, client) for client in ordered]
    start = time.perf_counter()
    passes = [experiment.runtime.next(orders) for _ in range(experiment.passes)]
    seconds = time.perf_counter() - start
    # The last pass is the one that trains.
    figures = experiment.summarise(passes[-1]["client_work"]["per_client"])
    return {
        "round": number,
        **{name: figures[name] for name in metrics_columns.TRAINING},
        "non_finite_clients": rejections.clients(passes, figures["non_finite_clients"]),
        **traffic.record(experiment.ledger, passes, lambda: attendance.newcomers(number)),
        "seconds": seconds,
        "tokens_per_second": figures["tokens"] / seconds,
    }


def _first_row() -> Row:
    """Round 0: nothing is trained or sent yet. A warm start shows its worth here."""
    return {"round": 0, **dict.fromkeys(metrics_columns.TOTALS, 0.0)}


def _evaluate(experiment: Experiment) -> Row:
    start = time.perf_counter()
    measured = evaluation.on_sample(experiment)
    return {
        **{
            metrics_columns.of_evaluation(measure, name): figures[name]
            for measure, figures in measured.items()
            for name in metrics_columns.EVALUATION
        },
        "evaluation_seconds": time.perf_counter() - start,
    }


def _due(every: int, number: int) -> bool:
    return every > 0 and number % every == 0
