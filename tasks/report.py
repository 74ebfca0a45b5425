"""What a prepared task holds, as text for people."""

import itertools
import os

from tasks.preparation import BAD_ROWS_FILE
from tasks.task import Task

_SHOWN_BAD_ROWS = 10
_COLUMNS = ("clients", "examples", "words", "tokens")


def describe(task: Task) -> str:
    """A table of the splits, what was left out and why, and where the files lie."""
    statistics = task.statistics
    lines = [f"{'split':12}" + "".join(f"{name:>12}" for name in _COLUMNS) + f"{'unknown':>12}"]
    for split, counts in statistics["splits"].items():
        cells = "".join(f"{counts[name]:>12,}" for name in _COLUMNS)
        unknown = counts["unknown_words"] / max(1, counts["words"])
        lines.append(f"{split:12}{cells}{unknown:>12.4%}")
    lines.append(
        f"vocabulary: {len(task.vocabulary.pieces):,} pieces in {task.vocabulary.size:,} rows"
    )
    dropped = {rule: count for rule, count in statistics["dropped_sentences"].items() if count}
    if dropped:
        reasons = ", ".join(f"{rule} {count:,}" for rule, count in dropped.items())
        lines.append(f"sentences left out: {reasons}")
    for name, counts in statistics.get("facts", {}).items():
        shown = ", ".join(f"{key} {count:,}" for key, count in counts.items())
        lines.append(f"{name}: {shown}")
    lines.extend(_bad_row_lines(task))
    lines.append(f"data: {task.folder}")
    return "\n".join(lines)


def _bad_row_lines(task: Task) -> list[str]:
    """The first bad rows, and where the others are listed."""
    count = task.statistics["bad_rows"]
    if not count:
        return []
    path = os.path.join(task.folder, BAD_ROWS_FILE)
    with open(path, encoding="utf-8") as file:
        shown = ["  " + line.rstrip("\n") for line in itertools.islice(file, _SHOWN_BAD_ROWS)]
    rest = [f"  ... all of them: {path}"] if count > len(shown) else []
    return [f"bad rows left out: {count:,}", *shown, *rest]
