"""Trains a language model over many clients' text, or resumes a training that was interrupted.

    python -m bin.train --config=configs/chat.py --workdir=runs/chat --config.federated.rounds=20

Everything a run leaves is in its workdir: metrics.csv, summary.json, plots/, tensorboard/,
checkpoints/. The same command again goes on where the run stands.
"""

# bazel: data = //configs/paper

import pathlib
from collections.abc import Sequence

from absl import flags
from ml_collections import config_flags

from tff_lm import paths
from tff_lm.config import command_line, python_file
from tff_lm.program import command, launch
from tff_lm.program.workdir import Workdir

_CONFIG = command_line.define_config()
_WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run; made if it is not there")


def main(arguments: Sequence[str]) -> int:
    """Checks the configuration, then trains; returns the exit code."""
    command_line.refuse_positional(arguments)
    config = command_line.value(_CONFIG)
    workdir = Workdir(pathlib.Path(paths.resolve(command_line.required(_WORKDIR))))
    preset = config_flags.get_config_filename(flags.FLAGS["config"])
    repeat = command.train_command(config, python_file.load_preset(preset), preset)
    return launch.train(config, workdir, command=repeat)


if __name__ == "__main__":
    command_line.run(main)
