"""The curve of a run: what had been reached and spent at each evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tff_lm import figures
from tff_lm.run_folder.metrics_columns import VALIDATION, of_evaluation

# Of each measure, straight from metrics.csv.
_REACHED = figures.recorded(figures.CURVE)
# Running totals there already.
_SENT = ("upload_bytes_total", "download_bytes_total")
# The column that tells an evaluated round.
EVALUATED = of_evaluation(VALIDATION, "token_perplexity")
# Summed here: column of metrics.csv -> name on the curve.
_SUMMED = {"tokens": "tokens_total", "seconds": "seconds_total"}


def curve(
    rows: Sequence[Mapping[str, float]], others: Sequence[str] = ()
) -> list[dict[str, float]]:
    """The evaluated rounds of metrics.csv, ascending.

    Args:
      rows: all rows of metrics.csv.
      others: the measures beside "validation".

    Returns:
      For each `round`, the perplexities on the fixed sample of validation clients and of the other
      measures, and the totals up to it: bytes of all clients in both directions, tokens trained on,
      and seconds of training alone.
    """
    reached = [
        of_evaluation(measure, name) for measure in (VALIDATION, *others) for name in _REACHED
    ]
    totals = dict.fromkeys(_SUMMED.values(), 0.0)
    points = []
    for row in rows:
        for column, name in _SUMMED.items():
            totals[name] += row.get(column, 0.0)
        if EVALUATED in row:
            # A figure that does not exist has no cell, as where nobody of a sample has a rest.
            found = {name: row.get(name, math.nan) for name in reached}
            sent = {name: row[name] for name in _SENT}
            points.append({"round": int(row["round"]), **found, **sent, **totals})
    return points
