"""Sweep files and calls of a sweep on fake runs, for tests."""

# bazel: data = //configs
# bazel: imports = tests.tff_lm.sweep.fake_train

from __future__ import annotations

import functools
import pathlib
import sys

from tff_lm.sweep import execute
from tff_lm.sweep.child import Child

ROOT = pathlib.Path(__file__).parents[3]
FAKE_TRAIN = "tests.tff_lm.sweep.fake_train"
ROUNDS = 4

_FILE = """
from optuna.distributions import CategoricalDistribution, FloatDistribution

from tff_lm.sweep import Pretraining, Search, Sweep, grid

def get_sweep():
    base = {{"task.path": "/nowhere", "federated.rounds": {rounds}}}
    return Sweep(title="A sweep", description="", config="{preset}", base=base, {rest})
"""


def write(folder: pathlib.Path, rest: str, name: str = "made.py") -> str:
    """A sweep file with `rest` as further arguments of its Sweep; returns its path."""
    path = folder / name
    preset = ROOT / "configs" / "tiny.py"
    path.write_text(_FILE.format(rounds=ROUNDS, preset=preset, rest=rest))
    return str(path)


def execute_fake(file: str, root: pathlib.Path, **request) -> int:
    """Executes a sweep whose runs are `fake_train`s; returns the exit code."""
    start = functools.partial(Child, module=FAKE_TRAIN)
    return execute.execute(execute.Request(file, root, **request), start)


if __name__ == "__main__":
    # A sweep as a process of its own: FILE ROOT PARALLEL.
    sys.exit(execute_fake(sys.argv[1], pathlib.Path(sys.argv[2]), parallel=int(sys.argv[3])))
