"""`bin.sweep` from a sweep file to an exit code: the order of things, and the ways out."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import sys
from collections.abc import Iterable, Mapping

from tff_lm import paths
from tff_lm.config import python_file
from tff_lm.config.option import ConfigError
from tff_lm.program.interrupt import Interrupted, Interrupts
from tff_lm.run_folder.workdir import Lock, Workdir
from tff_lm.sweep import record
from tff_lm.sweep.child import Child
from tff_lm.sweep.collect import collect
from tff_lm.sweep.definition import Overrides, Sweep
from tff_lm.sweep.plan import Planner, Run, matching, pretrainings
from tff_lm.sweep.pool import Pool, Starter
from tff_lm.sweep.progress import SweepProgress
from tff_lm.sweep.table import table


@dataclasses.dataclass(frozen=True)
class Request:
    """What the user asks for.

    Attributes:
      file: of the sweep.
      root: folder of its runs.
      parallel: runs at once.
      only: regular expression on "<experiment>-seed_<n>"; "": all runs, and the search.
      collect: folder for copies of the summaries; None: no copies.
    """

    file: str
    root: pathlib.Path
    parallel: int = 1
    only: str = ""
    collect: pathlib.Path | None = None


@dataclasses.dataclass(frozen=True)
class _Plan:
    """A request, checked.

    Attributes:
      request: of the user.
      sweep: what of its file is asked for.
      planner: makes its runs.
      runs: those that it names.
      pretrainings: what they start from -> what trains it.
      rounds_of_search: how many all trials of its search will have together.
    """

    request: Request
    sweep: Sweep
    planner: Planner
    runs: list[Run]
    pretrainings: dict[str, Run]
    rounds_of_search: int

    def write_record(self, trials: Mapping[str, Overrides]) -> None:
        """Writes sweep.json, for reports."""
        request = self.request
        record.write(
            request.root,
            record.Record(
                paths.as_typed(python_file.existing(request.file, "configs/sweeps")),
                paths.as_typed(str(request.root)),
                paths.as_typed(str(request.collect)) if request.collect else "",
                trials,
            ),
        )


def load(file: str) -> Sweep:
    """The sweep of a file such as "configs/sweeps/codecs.py"; raises ConfigError."""
    found = python_file.call(python_file.existing(file, "configs/sweeps"), "get_sweep")
    if not isinstance(found, Sweep):
        raise ConfigError(f"{file}: get_sweep() must return a tff_lm.sweep.Sweep")
    return found


def execute(request: Request, start: Starter = Child) -> int:
    """Executes what of a sweep is not done yet, shows the results and copies the summaries.

    Args:
      request: of the user.
      start: starts a run on the given cores.

    Returns:
      The exit code: 0 when all has finished, 1 if a run failed, 130 or 143 after a signal.

    Raises:
      ConfigError: if a run cannot be configured as the sweep says; then nothing was started.
    """
    plan = _plan(request)
    with Interrupts() as interrupts:
        try:
            request.root.mkdir(parents=True, exist_ok=True)
            with Lock(Workdir(request.root)):
                return _execute_locked(plan, interrupts, start)
        except Interrupted as interrupted:
            print(
                f"\nstopped; run the same command again to go on in {request.root}",
                file=sys.stderr,
            )
            return interrupted.exit_code


def _plan(request: Request) -> _Plan:
    """Checks everything; raises ConfigError."""
    sweep = load(request.file)
    planner = Planner(sweep, request.root)
    runs = planner.runs()
    if request.only:
        runs = matching(runs, request.only)
        sweep = dataclasses.replace(sweep, search=None)
    rounds = 0
    if sweep.search is not None:
        from tff_lm.sweep.search import first_run

        rounds = sweep.search.trials * first_run(sweep.search, planner, sweep.seeds[0]).rounds
    return _Plan(request, sweep, planner, runs, pretrainings(sweep, runs), rounds)


def _execute_locked(plan: _Plan, interrupts: Interrupts, start: Starter) -> int:
    before = record.read(plan.request.root)
    plan.write_record(before.trials if before else {})
    todo = [run for run in plan.runs if run.result() is None]
    first = _unfinished_pretrainings(plan, todo)
    followed = [*first.values(), *plan.runs]
    with contextlib.closing(SweepProgress(followed, plan.rounds_of_search)) as progress:
        interrupts.defer()
        pool = Pool(plan.request.parallel, interrupts, progress, start)
        pool.execute(list(first.values()))
        # A pre-training that failed may have left a checkpoint, from which nothing shall start.
        missing = _unfinished_pretrainings(plan, todo)
        for run in (run for run in todo if _start_of(run) in missing):
            pool.refuse(run, f"{missing[_start_of(run)].name}, which it starts from, failed")
        pool.execute([run for run in todo if _start_of(run) not in missing])
        runs = plan.runs + _search(plan, pool, progress)
    print(f"\n{plan.sweep.title}\n\n{table(runs, plan.sweep.baseline)}")
    if plan.request.collect is not None:
        folder = plan.request.collect / pathlib.Path(plan.request.file).stem
        print(f"\n{collect(runs, folder)} summaries in {folder}")
        if written := record.read(plan.request.root):
            record.write(folder, written)
    for name, failure in pool.failures.items():
        print(f"failed: {name}: {failure}", file=sys.stderr)
    return 1 if pool.failures else 0


def _unfinished_pretrainings(plan: _Plan, todo: Iterable[Run]) -> dict[str, Run]:
    wanted = set(map(_start_of, todo))
    return {
        folder: run
        for folder, run in plan.pretrainings.items()
        if folder in wanted and run.result() is None
    }


def _start_of(run: Run) -> str:
    return run.config.warm_start.checkpoint


def _search(plan: _Plan, pool: Pool, progress: SweepProgress) -> list[Run]:
    """Runs the sweep's search, if it has one; returns the trials that have a result."""
    if plan.sweep.search is None:
        return []
    from tff_lm.sweep.search import TrialSearch  # Optuna takes a second to import

    trials = TrialSearch(plan.sweep, plan.sweep.search, plan.planner, plan.request.root)
    plan.write_record(trials.drawn())
    for run in trials.finished():
        progress.add(run)
    while drawn := trials.draw(plan.request.parallel):
        plan.write_record(trials.drawn())
        for _, run in drawn:
            progress.add(run)
        pool.execute([run for _, run in drawn if run.result() is None])
        for number, run in drawn:
            trials.tell(number, run)
    return trials.finished()
