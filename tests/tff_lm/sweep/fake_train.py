"""`bin.train` without TensorFlow: the real program on a fake runtime, for tests of sweeps.

The name of an experiment says how it goes: "failing" ends with an error, "slow" takes its
time over a round, as many seconds as the environment variable FAKE_ROUND_SECONDS says.
"""

import os
import pathlib
import time

from absl import flags

from tests.tff_lm.program import fakes
from tff_lm.commands import failures, train
from tff_lm.config import command_line
from tff_lm.run_folder import plots
from tff_lm.run_folder.errors import RunError
from tff_lm.run_folder.workdir import Workdir

_CONFIG = command_line.define_config()
_WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
_ROUND_SECONDS = float(os.environ.get("FAKE_ROUND_SECONDS", "0"))


def main(arguments):
    del arguments
    config = command_line.value(_CONFIG)

    def before_round(number):
        if config.experiment.startswith("failing"):
            raise RunError(f"round {number} went wrong")
        if config.experiment.startswith("slow"):
            time.sleep(_ROUND_SECONDS)

    plots.draw = lambda *arguments, **options: None
    workdir = Workdir(pathlib.Path(_WORKDIR.value))
    runtime = fakes.FakeRuntime(before_round)
    return train.train(config, workdir, fakes.builder(runtime), command="fake")


if __name__ == "__main__":
    failures.run(main)
