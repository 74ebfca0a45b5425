"""Trains a language model over many clients' text, or resumes a training that was interrupted.

    python -m bin.train --config=configs/chat.py --workdir=runs/chat --config.federated.rounds=20

Everything a run leaves is in its workdir: metrics.csv, summary.json, plots/, tensorboard/,
checkpoints/. The same command again goes on where the run stands.
"""

# bazel: data = //configs

import pathlib
from collections.abc import Sequence

from absl import flags

from tff_lm import paths
from tff_lm.commands import failures, train
from tff_lm.config import command_line, python_file
from tff_lm.run_folder import repeating_command
from tff_lm.run_folder.workdir import Workdir

_CONFIG = command_line.define_config()
_WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run; made if it is not there")


def main(arguments: Sequence[str]) -> int:
    """Checks the configuration, then trains; returns the exit code."""
    command_line.refuse_positional(arguments)
    config = command_line.value(_CONFIG)
    workdir = Workdir(pathlib.Path(paths.resolve(command_line.required(_WORKDIR))))
    preset = _CONFIG.value
    repeat = repeating_command.train_command(
        config, python_file.load_preset(preset), preset, workdir
    )
    return train.train(config, workdir, command=repeat)


if __name__ == "__main__":
    failures.run(main)
