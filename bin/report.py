"""Tables and plots of finished runs, as one web page or as Markdown.

    python -m bin.report runs/sweep runs/chat --out=report.html
    python -m bin.report results --out=docs/results.md
    python -m bin.report --masks runs/partial

Folders are those of a run, of a sweep, or a `results` folder with copies of summaries. The title,
the prose and the baseline of a sweep come from configs/sweeps/NAME.py. --masks prints instead how
often each variable of a run was trained.
"""

import pathlib
import sys
from collections.abc import Sequence

from absl import flags

from tff_lm import paths
from tff_lm.commands import failures
from tff_lm.config import ConfigError, command_line
from tff_lm.run_folder.workdir import Workdir

_OUT = flags.DEFINE_string("out", "report.html", "file to write; .html or .md")
_MASKS = flags.DEFINE_string("masks", None, "folder of a run with partial training")


def main(arguments: Sequence[str]) -> int:
    """Writes a report, or prints the table of --masks; returns the exit code."""
    if _MASKS.value:
        command_line.refuse_positional(arguments)
        # It computes masks as the clients do, with TensorFlow; the rest of this program does not.
        from tff_lm.report.masks import table

        print(table(Workdir(_path(_MASKS.value))))
        return 0
    if not arguments:
        raise ConfigError("name the folder of a run, of a sweep, or results")
    # Matplotlib takes a while, too.
    from tff_lm.report.write import write

    titles = write([_path(each) for each in arguments], _path(_OUT.value), sys.argv[1:])
    print(f"{_OUT.value}: {', '.join(titles)}")
    return 0


def _path(text: str) -> pathlib.Path:
    return pathlib.Path(paths.resolve(text))


if __name__ == "__main__":
    failures.run(main)
