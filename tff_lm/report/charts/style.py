"""How plots look, and how they become files: the same bytes for the same figures.

Figures are drawn in the colours for a light ground. In an SVG for a page each colour becomes a CSS
variable, so that the plot follows the page into the dark.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from tff_lm.report.charts import ticks

INK, MUTED, GRID = "#1b1f24", "#6b7280", "#d9dde3"
# For every kind of colour blindness (Machado et al. 2009, "A Physiologically-based Model for
# Simulation of Color Vision Deficiency") at least 24 apart in CIE L*a*b*, and with a contrast of
# 3:1 to the ground; a test measures both. Markers tell them apart, too.
SERIES = ("#0a8ee6", "#8a0f35", "#8c8a00", "#3a1fd6", "#c2619a")
SERIES_IN_THE_DARK = ("#45c8ff", "#e03c50", "#e8e070", "#7060ff", "#c890b0")
MARKERS = "osD^v"

# CSS variables of the page, by the colour that stands for them here.
VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    **{colour: f"--series-{index}" for index, colour in enumerate(SERIES)},
}

# Inches: at the width of a phone, the page shows it at about its true size.
WIDTH, HEIGHT, _LEGEND_ROW = 4.8, 3.2, 0.2
# Letters of the longest label, for two of them beside each other, and of a line in a legend.
_LONGEST_OF_TWO, _LONGEST = 24, 68

_RC = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "grid.color": GRID,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@contextlib.contextmanager
def in_force(salt: str = "") -> Iterator[None]:
    """Draws in our style; `salt` keeps the ids of one SVG in a page apart from another's."""
    # Whatever a user's matplotlibrc says, the files come out the same.
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**_RC, "svg.hashsalt": salt})
        yield


def png(draw: Callable[[], Figure]) -> bytes:
    """The figure as a file."""
    buffer = io.BytesIO()
    with in_force():
        figure = draw()
        ticks.make_room(figure)
        figure.savefig(
            buffer, format="png", dpi=144, facecolor="white", metadata={"Software": None}
        )
    return buffer.getvalue()


def svg(draw: Callable[[], Figure], name: str) -> str:
    """The figure as an <svg> element for a page, without any reference to the outside.

    Args:
      draw: makes it.
      name: unique in the page.
    """
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with in_force(salt=name):
        figure = draw()
        ticks.make_room(figure)
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _for_page(buffer.getvalue())


def figure(labels: Sequence[str]) -> Figure:
    """An empty figure, higher by the legend of `labels`."""
    lines = sum(_wrapped(label).count("\n") + 1 for label in labels)
    rows = math.ceil(lines / _legend_columns(labels))
    return Figure(figsize=(WIDTH, HEIGHT + _LEGEND_ROW * rows))


# The baseline's line: apart from all others without a colour.
BASELINE: dict[str, Any] = {"color": INK, "marker": "x", "linestyle": "--"}


def series(index: int) -> dict[str, Any]:
    """Colour and marker of a line; a colour that comes again has another marker."""
    turn = index // len(SERIES)
    return {
        "color": SERIES[index % len(SERIES)],
        "marker": MARKERS[(index + turn) % len(MARKERS)],
    }


def of(each: Any, among: Sequence[Any], baseline: Any) -> dict[str, Any]:
    """How one of the experiments of a section looks: the same in every plot.

    Args:
      each: the experiment.
      among: all of the section, those included that this plot leaves out.
      baseline: the one that looks apart from all others; or None.
    """
    return BASELINE if each is baseline else series(among.index(each))


def legend(drawn: Figure, labels: Sequence[str]) -> None:
    """The legend, below the axes: never on the data."""
    (axes,) = drawn.axes
    handles, found = axes.get_legend_handles_labels()
    drawn.legend(
        handles,
        [_wrapped(label) for label in found],
        loc="outside lower left",
        handlelength=2.4,
        borderaxespad=0.2,
        ncols=_legend_columns(labels),
    )


def _wrapped(label: str) -> str:
    """In lines that the figure has room for."""
    return "\n".join(textwrap.wrap(label, _LONGEST, break_on_hyphens=False))


def _legend_columns(labels: Sequence[str]) -> int:
    return 2 if len(labels) > 3 and max(map(len, labels)) <= _LONGEST_OF_TWO else 1


def lines(label: str) -> str:
    """The label of an axis, broken where a figure's name ends and its qualifications begin."""
    return label.replace(", ", ",\n", 1)


def _for_page(text: str) -> str:
    text = text[text.index("<svg") :]
    # Groups are named figure_1, axes_1 ... in every figure, and nothing refers to them. The page
    # has what the style of every one says.
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r"<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>", "", text, count=1)
    head, rest = text.split(">", 1)
    head = re.sub(r'\s(xmlns(:\w+)?|width|height|version)="[^"]*"', "", head)
    text = f"{head}>{rest}"
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    return text
