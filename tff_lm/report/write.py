"""`bin.report`: from folders of runs to a report in a file."""

from __future__ import annotations

import pathlib
import shlex
from collections.abc import Callable, Sequence

from tff_lm.config import ConfigError
from tff_lm.report import codec_section, earlier, markdown, page, sections
from tff_lm.report.collect import collect
from tff_lm.report.document import Report

_FORMATS: dict[str, Callable[[Report, pathlib.Path], None]] = {
    ".html": page.write,
    ".md": markdown.write,
}


def write(
    folders: Sequence[pathlib.Path], out: pathlib.Path, arguments: Sequence[str]
) -> list[str]:
    """Writes the report on the runs in `folders` to `out`, in the format of its suffix.

    Args:
      folders: see `collect.collect`.
      out: a .html or .md file.
      arguments: of `bin.report`, as they were typed; the report names them.

    Returns:
      The titles of its sections.

    Raises:
      ConfigError: one line, on folders, files or a suffix that do not fit.
    """
    if out.suffix not in _FORMATS:
        raise ConfigError(f"--out={out}: end it in {' or '.join(_FORMATS)}")
    if not out.parent.is_dir():
        raise ConfigError(f"--out={out}: there is no folder {out.parent}")
    report = build(folders, arguments)
    _FORMATS[out.suffix](report, out)
    return [section.title for section in report.sections]


def build(folders: Sequence[pathlib.Path], arguments: Sequence[str]) -> Report:
    """The report, before it has a format; raises ConfigError as `write` does."""
    found = collect(folders)
    parts = [sections.of(group) for group in found.groups.values() if group.runs]
    if found.codecs:
        parts.append(codec_section.of(found.codecs))
    earlier_runs = any(
        earlier.is_earlier(run.summary) for group in found.groups.values() for run in group.runs
    )
    return Report(
        title="Results",
        command=f"python -m bin.report {shlex.join(arguments)}",
        note="\n\n".join([sections.NOTE, *([earlier.NOTE] if earlier_runs else [])]),
        sections=tuple(parts),
    )
