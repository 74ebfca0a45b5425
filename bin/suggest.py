"""Shows the likeliest next words after a phrase, or after each one typed at a prompt.

python -m bin.suggest --workdir=runs/chat "how are"
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tff_lm import paths
from tff_lm.commands import failures, suggest
from tff_lm.config import command_line
from tff_lm.run_folder.workdir import Workdir

_WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
_COUNT = flags.DEFINE_integer("count", 5, "how many words", lower_bound=1)
_CHECKPOINT = flags.DEFINE_string("checkpoint", "latest", "latest, best or a round")


def main(arguments: Sequence[str]) -> int:
    """Answers the phrase given, or opens a prompt; returns the exit code."""
    workdir = Workdir(pathlib.Path(paths.resolve(command_line.required(_WORKDIR))))
    return suggest.suggest(workdir, " ".join(arguments), _COUNT.value, _CHECKPOINT.value)


if __name__ == "__main__":
    failures.run(main)
