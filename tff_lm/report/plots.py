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

# Of more experiments than _MOST, such as the trials of a search, plots show the best _BEST: by the
# perplexity that searches minimize, with end of sentence.
_MOST, _BEST = 20, 10
_CHOSEN_BY = "validation.token_perplexity"

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
    shown = _chosen(experiments, baseline)
    suffix = "" if len(shown) == len(experiments) else f" (the best {_BEST} on validation)"
    with_curve = [each for each in shown if len(each.mean_curve()) > 1]
    for key, title, progress, only_page in _CURVES:
        # Central training sends nothing.
        drawn = [each for each in with_curve if progress.of(each.mean_curve()[-1]) > 0]
        parts = _parts(shown, drawn, baseline)
        for index, part in enumerate(parts, 1):
            draw = curves.Curves(part, baseline, drawn, progress, shown).draw
            number, end = (f"{index} of {len(parts)}", f"_{index}") if parts[1:] else ("", "")
            yield Chart(f"{name}_by_{key}{end}", f"{title}{suffix}", draw, only_page, number)
    placed = [each for each in shown if frontier.has_place(each)]
    if len(placed) > 1:
        title = f"Test perplexity against uploaded bytes{suffix}"
        yield Chart(f"{name}_frontier", title, partial(frontier.draw, placed, baseline, shown))
    placed = [each for each in shown if clients.has_place(each)]
    if placed:
        title = f"Test perplexity over the people: 10th to 90th percentile, median{suffix}"
        draw_people = partial(clients.draw, placed, baseline, shown)
        yield Chart(f"{name}_clients", title, draw_people, only_page=True)


def _chosen(experiments: Sequence[Experiment], baseline: Experiment | None) -> Sequence[Experiment]:
    """All experiments, or of very many the best and the baseline, in their order."""
    if len(experiments) <= _MOST:
        return experiments
    known = [each for each in experiments if each.mean(_CHOSEN_BY) is not None]
    best = sorted(known, key=lambda each: each.mean(_CHOSEN_BY) or math.inf)[:_BEST]
    return [each for each in experiments if each in best or each is baseline]


def _parts(
    shown: Sequence[Experiment], drawn: Sequence[Experiment], baseline: Experiment | None
) -> list[list[Experiment]]:
    """Shares of those that are drawn, each with the baseline (if it is among them).

    They are cut where `shown` is cut into shares of like size: neighbours there differ in colour.
    """
    size = math.ceil(len(shown) / max(1, math.ceil(len(shown) / _LINES)))
    blocks = [shown[start : start + size] for start in range(0, len(shown), size or 1)]
    parts = [[each for each in block if each in drawn] for block in blocks]
    # No plot of the baseline alone, unless nothing else is drawn.
    parts = [part for part in parts if part and part != [baseline]] or [list(drawn)]
    reference = [baseline] if baseline is not None and baseline in drawn else []
    return [part if baseline in part else part + reference for part in parts if part]
