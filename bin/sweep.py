"""Executes the runs of a sweep file that are not done yet, and shows what they came to.

    python -m bin.sweep --sweep=configs/sweeps/codecs.py --workdir=runs/codecs --collect=results

Each run is a `bin.train` in WORKDIR/<experiment>/seed_<n>, its output in logs/run.log there. The
same command again goes on where the sweep stands.
"""

# bazel: data = //configs/sweeps

import pathlib
from collections.abc import Sequence

from absl import flags

from tff_lm import paths
from tff_lm.commands import failures
from tff_lm.config import command_line
from tff_lm.sweep import execute

_SWEEP = flags.DEFINE_string("sweep", None, "file of the sweep, such as configs/sweeps/codecs.py")
_WORKDIR = flags.DEFINE_string("workdir", None, "folder of the runs; made if it is not there")
_PARALLEL = flags.DEFINE_integer(
    "parallel", 1, "runs at once, which share the cores", lower_bound=1
)
_ONLY = flags.DEFINE_string("only", "", "regular expression: runs <experiment>-seed_<n> to execute")
_COLLECT = flags.DEFINE_string(
    "collect", "", "folder for copies of the summaries, such as results; none"
)


def main(arguments: Sequence[str]) -> int:
    """Checks every run's configuration, then executes them; returns the exit code."""
    command_line.refuse_positional(arguments)
    return execute.execute(
        execute.Request(
            file=command_line.required(_SWEEP),
            root=pathlib.Path(paths.resolve(command_line.required(_WORKDIR))),
            parallel=_PARALLEL.value,
            only=_ONLY.value,
            collect=pathlib.Path(paths.resolve(_COLLECT.value)) if _COLLECT.value else None,
        )
    )


if __name__ == "__main__":
    failures.run(main)
