"""The curve of a run: what had been reached and spent at each evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# Straight from metrics.csv, where they are running totals already.
_REACHED = ("validation_token_perplexity", "validation_word_perplexity")
_SENT = ("upload_bytes_total", "download_bytes_total")
# Summed here: column of metrics.csv -> name on the curve.
_SUMMED = {"tokens": "tokens_total", "seconds": "seconds_total"}


def curve(rows: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """The evaluated rounds of metrics.csv, ascending.

    Returns:
      For each `round`, the perplexities on the fixed validation sample, and the totals up to it:
      bytes of all clients in both directions, tokens trained on, and seconds of training alone.
    """
    totals = dict.fromkeys(_SUMMED.values(), 0.0)
    points = []
    for row in rows:
        for column, name in _SUMMED.items():
            totals[name] += row.get(column, 0.0)
        if _REACHED[0] in row:
            figures = {name: row[name] for name in (*_REACHED, *_SENT)}
            points.append({"round": int(row["round"]), **figures, **totals})
    return points
