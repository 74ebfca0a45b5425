"""Measures a trained model on everybody of a split, with the spread over its people.

python -m bin.evaluate --workdir=runs/chat --split=test
python -m bin.evaluate --workdir=runs/chat --split=test --evaluation='adapted(fraction=0.5)'
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tff_lm import paths
from tff_lm.commands import evaluate, failures
from tff_lm.config import command_line
from tff_lm.run_folder.workdir import Workdir

_WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
_SPLIT = flags.DEFINE_enum(
    "split",
    None,
    ["validation", "test", "unseen"],
    "whose text; by default test, or the evaluation's",
)
_EVALUATION = flags.DEFINE_string(
    "evaluation", "validation", "one of the run's evaluation.names, or another, such as 'adapted'"
)
_CHECKPOINT = flags.DEFINE_string("checkpoint", "latest", "latest, best or a round")


def main(arguments: Sequence[str]) -> int:
    """Evaluates and prints a table; returns the exit code."""
    command_line.refuse_positional(arguments)
    workdir = Workdir(pathlib.Path(paths.resolve(command_line.required(_WORKDIR))))
    return evaluate.measure(workdir, _SPLIT.value, _CHECKPOINT.value, wanted=_EVALUATION.value)


if __name__ == "__main__":
    failures.run(main)
