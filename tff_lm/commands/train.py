"""`bin.train` from a checked configuration to an exit code: the order of things, and the ways out.

TensorFlow is imported only once it is certain that there is something to compute.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import ml_collections

from tff_lm import config as config_lib
from tasks import report
from tff_lm.experiment import resumable
from tff_lm.program import evaluation, loop, traffic
from tff_lm.program.contracts import Experiment
from tff_lm.program.interrupt import Interrupted, Interrupts
from tff_lm.run_folder import files, memory, plots, summary
from tff_lm.run_folder.run_log import Row
from tff_lm.run_folder.workdir import Lock, Workdir

Builder = Callable[
    [ml_collections.ConfigDict, Workdir], contextlib.AbstractContextManager[Experiment]
]


def build_real(
    config: ml_collections.ConfigDict, workdir: Workdir
) -> contextlib.AbstractContextManager[Experiment]:
    """Imports TensorFlow Federated, which takes ten seconds and more, and builds the experiment."""
    from tff_lm.experiment import central, federated

    build = central.build_central if config.pretrain.passes else federated.build_experiment
    return build(config, workdir)


def train(
    config: ml_collections.ConfigDict,
    workdir: Workdir,
    build: Builder = build_real,
    *,
    command: str = "",
) -> int:
    """Runs or resumes an experiment in `workdir`.

    Args:
      config: validated.
      workdir: the run's folder, made if it is not there.
      build: makes the experiment; its exit ends every process that it started.
      command: the line that repeats the run, for its summary.

    Returns:
      The exit code: 0 when finished; 129, 130 or 143 after a signal.

    Raises:
      ConfigError: if `config` is not the one that the run in `workdir` has begun with.
      RunError: and whatever else `failures` explains.
    """
    with Interrupts() as interrupts:
        try:
            workdir.create()
            with Lock(workdir):
                return _train_locked(config, workdir, build, interrupts, command)
        except Interrupted as interrupted:
            print(
                f"\nstopped; run the same command again to go on in {workdir.root}", file=sys.stderr
            )
            return interrupted.exit_code


def _train_locked(
    config: ml_collections.ConfigDict,
    workdir: Workdir,
    build: Builder,
    interrupts: Interrupts,
    command: str,
) -> int:
    config = resumable.agreed(config, workdir)
    finished = summary.read(workdir)
    if finished and finished["rounds"] >= config.federated.rounds:
        print(f"{workdir.root} has finished already.{summary.table(finished, workdir)}")
        return 0
    _say("preparing the data and building the graphs; round 0 follows, the model as it begins")
    with build(config, workdir) as experiment:
        # Only now: a configuration that cannot even be built must not bind the folder to itself.
        files.write_text(workdir.config, config_lib.to_json(config))
        for line in report.first_lines(experiment.facts["data"], str(workdir.bad_rows)):
            print(line, flush=True)
        rows = loop.train(experiment, workdir, interrupts)
        result = _conclude(experiment, workdir, rows, command)
    print(summary.table(result, workdir))
    return 0


def _conclude(
    experiment: Experiment, workdir: Workdir, rows: list[Row], command: str
) -> dict[str, Any]:
    """Measures the trained model on everybody, and writes the summary and the plots."""
    held_out = (experiment.clients.validation, experiment.clients.test, experiment.clients.unseen)
    people = sum(map(len, held_out))
    _say(f"measuring the trained model on {people:,} people who took no part in training")
    start = time.perf_counter()
    validation, *others = experiment.evaluations
    figures = {
        split: evaluation.on_all(experiment, validation, split)[validation.name]
        for split in ("validation", "test")
    }
    measured = [evaluation.on_all(experiment, each, each.final_split) for each in others]
    unigram = experiment.unigram()
    result = summary.build(
        config=experiment.config,
        command=command,
        rows=rows,
        facts=experiment.facts,
        test=figures["test"],
        validation=figures["validation"],
        evaluations={name: each for found in measured for name, each in found.items()},
        unigram=unigram,
        communication=traffic.totals(experiment.ledger),
        closing_seconds=time.perf_counter() - start,
        peak_memory_bytes=memory.peak_memory_bytes(),
    )
    references = {
        "unigram": unigram["token_perplexity"],
        "central training": experiment.config.evaluation.central_perplexity,
    }
    plots.draw(
        rows,
        workdir.plots,
        title=f"{experiment.config.model.name} on {experiment.config.task.name}",
        references={label: value for label, value in references.items() if value > 0},
    )
    by_variable = json.dumps(experiment.ledger.by_variable(), indent=2)
    files.write_text(workdir.communication, by_variable + "\n")
    # Last: its being there says that the run has finished.
    summary.write(workdir, result)
    return result


def _say(line: str) -> None:
    """What is going on, where that takes a while. Standard error is left to what goes wrong."""
    print(f"{line} ...", flush=True)
