"""Which plots a group of experiments gets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

from tff_lm.report.charts import clients, curves, frontier
from tff_lm.report.document import Chart
from tff_lm.report.experiments import Experiment

# Lines of a plot, the baseline's apart: more are drawn as several plots with the same axes.
_LINES = 5

# Key, title, what they are drawn against, and whether Markdown goes without them.
_CURVES = (
    ("round", "Validation perplexity by round", curves.BY_ROUND, False),
    ("upload", "Validation perplexity by uploaded bytes", curves.BY_UPLOAD, False),
    ("bytes", "Validation perplexity by uploaded and downloaded bytes", curves.BY_BYTES, True),
)


def of(
    name: str, experiments: Sequence[Experiment], baseline: Experiment | None
) -> Iterator[Chart]:
    """The plots that there are figures for.

    Args:
      name: what the names of the charts begin with.
      experiments: in the order of the legends.
      baseline: one of them, in every plot; or None.
    """
    with_curve = [each for each in experiments if len(each.mean_curve()) > 1]
    for key, title, progress, only_page in _CURVES:
        parts = _parts(with_curve, baseline)
        for index, part in enumerate(parts, 1):
            draw = curves.Curves(part, baseline, with_curve, progress).draw
            if len(parts) == 1:
                yield Chart(f"{name}_by_{key}", title, draw, only_page)
            else:
                number = f"{title}, {index} of {len(parts)}"
                yield Chart(f"{name}_by_{key}_{index}", number, draw, only_page)
    placed = [each for each in experiments if frontier.has_place(each)]
    if len(placed) > 1:
        title = "Test perplexity against uploaded bytes"
        yield Chart(f"{name}_frontier", title, partial(frontier.draw, placed, baseline))
    placed = [each for each in experiments if clients.has_place(each)]
    if placed:
        title = "Test perplexity over the people: 10th to 90th percentile, and the median"
        yield Chart(f"{name}_clients", title, partial(clients.draw, placed), only_page=True)


def _parts(
    experiments: Sequence[Experiment], baseline: Experiment | None
) -> list[list[Experiment]]:
    """Shares of like size of the experiments, each with the baseline (if it is among them)."""
    size = math.ceil(len(experiments) / max(1, math.ceil(len(experiments) / _LINES)))
    parts = [
        list(experiments[start : start + size]) for start in range(0, len(experiments), size or 1)
    ]
    reference = [baseline] if baseline is not None and baseline in experiments else []
    return [part if baseline in part else part + reference for part in parts]
