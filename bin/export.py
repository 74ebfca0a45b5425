"""Writes a run's model as a SavedModel, which plain TensorFlow loads without this project's code.

    python -m bin.export --workdir=runs/chat --out=exported

Its signature "next_words" takes phrases and gives the likeliest next words; "next_pieces" takes ids
of sub-words. The vocabulary lies in assets/vocabulary.txt.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tff_lm import paths
from tff_lm.commands import export, failures
from tff_lm.config import command_line
from tff_lm.run_folder.workdir import Workdir

_WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
_OUT = flags.DEFINE_string("out", None, "folder of the SavedModel; made if it is not there")
_CHECKPOINT = flags.DEFINE_string("checkpoint", "best", "best, latest or a round")


def main(arguments: Sequence[str]) -> int:
    """Exports; returns the exit code."""
    command_line.refuse_positional(arguments)
    workdir = Workdir(pathlib.Path(paths.resolve(command_line.required(_WORKDIR))))
    folder = pathlib.Path(paths.resolve(command_line.required(_OUT)))
    return export.export(workdir, folder, _CHECKPOINT.value)


if __name__ == "__main__":
    failures.run(main)
