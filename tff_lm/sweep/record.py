"""sweep.json: how a sweep was called and what its search tried, beside its runs, for reports."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import shlex
from collections.abc import Mapping
from typing import Any

from tff_lm.config.option import ConfigError
from tff_lm.run_folder import files
from tff_lm.sweep.definition import Overrides

NAME = "sweep.json"


@dataclasses.dataclass(frozen=True)
class Record:
    """A sweep that was called. Paths are as the user may type them again where they were.

    Attributes:
      file: the sweep file.
      workdir: folder of the runs.
      collect: folder for copies of the summaries; "": none.
      trials: experiment -> what its search drew for it, by option key.
    """

    file: str
    workdir: str
    collect: str = ""
    trials: Mapping[str, Overrides] = dataclasses.field(default_factory=dict)

    @property
    def command(self) -> str:
        """The line that repeats the sweep."""
        words = [f"--sweep={self.file}", f"--workdir={self.workdir}"]
        words += [f"--collect={self.collect}"] if self.collect else []
        return f"python -m bin.sweep {shlex.join(words)}"


def write(folder: pathlib.Path, record: Record) -> None:
    """Writes the record of the sweep in `folder`, or of the copies in it."""
    files.write_text(folder / NAME, json.dumps(dataclasses.asdict(record), indent=2) + "\n")


def read(folder: pathlib.Path) -> Record | None:
    """The record in `folder`, None where there is none, as of earlier versions.

    Raises:
      ConfigError: one line, if there is something else.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        content: Any = json.loads(path.read_text())
        return Record(**content)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path} is not what bin.sweep writes ({error}); remove it") from error
