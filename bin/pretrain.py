"""Trains a language model centrally, on text in one place: to start a federated run from it.

    python -m bin.pretrain --config=configs/pretrain_sotu.py --workdir=runs/sotu
    python -m bin.train --config=configs/chat.py --workdir=runs/warm \
      --config.warm_start.checkpoint=runs/sotu

Any task will do (--config=configs/chat.py --config.pretrain.passes=3 tells what federation costs).
What a run leaves in its workdir, and resuming, are those of bin.train; a round of the options and
of metrics.csv is pretrain.steps_per_round steps.
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
        config, python_file.load_preset(preset), preset, workdir, program="bin.pretrain"
    )
    # Only now, since it imports TensorFlow.
    from tff_lm.experiment import central_plan

    return train.train(central_plan.resolve(config), workdir, command=repeat)


if __name__ == "__main__":
    failures.run(main)
