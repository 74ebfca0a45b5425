"""What a warm start took over, for the screen."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from tff_lm.warm_start.matching import Match

_BLOCK = re.compile(r"^(?:block|lstm)_\d+/")


def table(match: Match, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Three lines: loaded, fresh and skipped variables, their elements and their parts.

    Args:
      match: What was loaded.
      shapes: Of the model's variables, by name.
    """
    fresh = [name for name in shapes if name not in match.loaded]
    skipped = {name: match.source.weights[name].shape for name in match.skipped}
    lines = [
        _line("loaded", match.loaded, shapes),
        _line("fresh", fresh, shapes),
        _line("skipped", match.skipped, skipped),
    ]
    rows = [
        f"  {name}: {len(rows.target):,} of {shapes[name][0]:,} rows, of pieces in both "
        "vocabularies"
        for name, rows in match.rows.items()
    ]
    return "\n".join([f"warm start from {match.source.origin}", *lines, *rows])


def _line(label: str, names: Sequence[str], shapes: Mapping[str, Sequence[int]]) -> str:
    elements = sum(math.prod(shapes[name]) for name in names)
    # Each part once, however many blocks have it.
    parts = dict.fromkeys(_BLOCK.sub("", name).partition("/")[0] for name in names)
    return f"  {label:<8}{len(names):>5} variables {elements:>12,} values  {', '.join(parts)}"
