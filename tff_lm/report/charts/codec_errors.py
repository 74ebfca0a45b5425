"""Error of codecs against their bits, from the codec benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from tff_lm.report.charts import style

# More lines than these cannot be told apart; the table has all.
FAMILIES = ("uniform", "rotated uniform", "qsgd", "eden", "drive", "top_k")
_BOUND = "least possible, Gaussian"
_GAUSSIAN_BITS = (0.25, 8.5)


def draw(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """A line a family of codecs, and the bound of any code for a Gaussian.

    Args:
      rows: see `benchmarks.codecs.Row`.
    """
    drawn = [name for name in FAMILIES if _places(rows, name)]
    labels = [*drawn, _BOUND]
    figure = style.figure(labels)
    axes = figure.subplots()
    for index, name in enumerate(drawn):
        bits, errors = zip(*_places(rows, name), strict=True)
        axes.plot(bits, errors, label=name, **style.series(index))
    axes.plot(
        _GAUSSIAN_BITS,
        [4.0**-bits for bits in _GAUSSIAN_BITS],
        color=style.MUTED,
        linestyle=":",
        label=_BOUND,
    )
    axes.set(yscale="log", xlabel="bits a parameter", ylabel="relative squared error")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.minorticks_off()
    style.legend(figure, labels)
    return figure


def _places(rows: Sequence[Mapping[str, Any]], family: str) -> list[tuple[float, float]]:
    """(bits, error) of a family's codecs; without those that have no error, as logarithms do."""
    return sorted(
        (row["bits_per_parameter"], row["relative_squared_error"])
        for row in rows
        if row["family"] == family and row["relative_squared_error"] > 0.0
    )
