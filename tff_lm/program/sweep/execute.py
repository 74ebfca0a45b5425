"""`bin.sweep` from a sweep file to an exit code: the order of things, and the ways out."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import sys

from tff_lm.config import python_file
from tff_lm.config.option import ConfigError
from tff_lm.program.errors import RunError
from tff_lm.program.interrupt import Interrupted, Interrupts
from tff_lm.program.sweep.child import Child
from tff_lm.program.sweep.collect import collect
from tff_lm.program.sweep.definition import Sweep
from tff_lm.program.sweep.plan import Planner, Run, matching
from tff_lm.program.sweep.pool import Pool, Starter
from tff_lm.program.sweep.progress import SweepProgress
from tff_lm.program.sweep.table import table
from tff_lm.program.workdir import Lock, Workdir


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


def load(file: str) -> Sweep:
    """The sweep of a file such as "configs/sweeps/codecs.py"; raises ConfigError."""
    found = python_file.call(python_file.existing(file, "configs/sweeps"), "get_sweep")
    if not isinstance(found, Sweep):
        raise ConfigError(f"{file}: get_sweep() must return a tff_lm.program.sweep.Sweep")
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
    sweep = load(request.file)
    planner = Planner(sweep, request.root)
    runs = planner.runs()
    if request.only:
        runs = matching(runs, request.only)
        sweep = dataclasses.replace(sweep, search=None)
    _check_search(sweep, planner)
    with Interrupts() as interrupts:
        try:
            request.root.mkdir(parents=True, exist_ok=True)
            with Lock(Workdir(request.root)):
                return _execute_locked(request, sweep, planner, runs, interrupts, start)
        except Interrupted as interrupted:
            print(
                f"\nstopped; run the same command again to go on in {request.root}",
                file=sys.stderr,
            )
            return interrupted.exit_code
        except (RunError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1


def _execute_locked(
    request: Request,
    sweep: Sweep,
    planner: Planner,
    runs: list[Run],
    interrupts: Interrupts,
    start: Starter,
) -> int:
    to_come = sweep.search.trials * _rounds_of_a_trial(sweep, planner) if sweep.search else 0
    with contextlib.closing(SweepProgress(runs, to_come)) as progress:
        interrupts.defer()
        pool = Pool(request.parallel, interrupts, progress, start)
        pool.execute([run for run in runs if run.result() is None])
        runs = runs + _search(request, sweep, planner, pool, progress)
    print(f"\n{sweep.title}\n\n{table(runs, sweep.baseline)}")
    if request.collect is not None:
        folder = request.collect / pathlib.Path(request.file).stem
        print(f"\n{collect(runs, folder)} summaries in {folder}")
    for name, failure in pool.failures.items():
        print(f"failed: {name}: {failure}", file=sys.stderr)
    return 1 if pool.failures else 0


def _search(
    request: Request, sweep: Sweep, planner: Planner, pool: Pool, progress: SweepProgress
) -> list[Run]:
    """Runs the sweep's search, if it has one; returns the trials that have a result."""
    if sweep.search is None:
        return []
    from tff_lm.program.sweep.search import TrialSearch  # Optuna takes a second to import

    trials = TrialSearch(sweep, sweep.search, planner, request.root)
    for run in trials.finished():
        progress.add(run)
    while drawn := trials.draw(request.parallel):
        for _, run in drawn:
            progress.add(run)
        pool.execute([run for _, run in drawn if run.result() is None])
        for number, run in drawn:
            trials.tell(number, run)
    return trials.finished()


def _check_search(sweep: Sweep, planner: Planner) -> None:
    if sweep.search is not None:
        from tff_lm.program.sweep.search import check_space

        check_space(sweep.search, planner, sweep.seeds[0])


def _rounds_of_a_trial(sweep: Sweep, planner: Planner) -> int:
    return planner.run("trial", {}, sweep.seeds[0]).rounds
