"""Copies of the summaries, small enough to be committed: what published tables rest on."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable

from tff_lm.run_folder import files
from tff_lm.sweep.plan import Run


def collect(runs: Iterable[Run], folder: pathlib.Path) -> int:
    """Copies each finished run's summary.json to `folder`/<experiment>-seed_<n>.json.

    Returns:
      How many there were. A copy is replaced in full or not at all.
    """
    finished = [run for run in runs if run.result() is not None]
    folder.mkdir(parents=True, exist_ok=True)
    for run in finished:
        files.write_text(folder / f"{run.name}.json", run.workdir.summary.read_text())
    return len(finished)
