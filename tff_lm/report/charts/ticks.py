"""Axes: linear or logarithmic, labelled in plain words, and no label on another."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

# Ticks lie at round numbers: as many digits as they have.
NUMBER = "{:,.10g}".format
# From this ratio on an axis is logarithmic.
_WIDE = 3.0
# Its ticks in a decade, up to a ratio of largest to least.
_OF_A_DECADE = (
    (10.0, (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)),
    (100.0, (1.0, 2.0, 5.0)),
    (1000.0, (1.0, 3.0)),
    (math.inf, (1.0,)),
)
# Where labels touch: of the ticks of a decade those that begin with these digits, or that many.
_ROUNDER = ("125", "15", "1")
_BINS = (7, 6, 5, 4, 3, 2, 1)
# Between two labels, in heights of a letter.
_GAP = {"x": 0.6, "y": 0.0}


def scale(axes: Axes, which: str, low: float, high: float, text: Callable[[float], str]) -> None:
    """Labels an axis in plain words, and makes it logarithmic if its data spread far.

    Args:
      axes: of the plot.
      which: "x" or "y".
      low: the least value that is drawn.
      high: the largest.
      text: a value in words.
    """
    axis = getattr(axes, f"{which}axis")
    if low > 0 and high / low >= _WIDE:
        axes.set(**{f"{which}scale": "log"})
        subs = next(subs for most, subs in _OF_A_DECADE if high / low < most)
        axis.set_major_locator(ticker.LogLocator(subs=subs, numticks=12))
        axis.set_minor_locator(ticker.NullLocator())
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: text(value)))


def make_room(figure: Figure) -> None:
    """Takes ticks away where two labels would touch, or say the same; to be called last."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    for axes, name in itertools.product(figure.axes, "xy"):
        axis: Axis = getattr(axes, f"{name}axis")
        fewer = _fewer(axis)
        while _crowded(axis, name, renderer) and next(fewer, False):
            figure.draw_without_rendering()


def _fewer(axis: Axis) -> Iterator[bool]:
    """Changes the axis's ticks to fewer ones, and to fewer still each time it is asked."""
    is_linear = axis.get_scale() == "linear"
    for count in _BINS if is_linear else ():
        axis.get_major_locator().set_params(nbins=count)  # type: ignore[call-arg]  # of MaxNLocator
        yield True
    low, high = sorted(axis.get_view_interval())
    places = [place for place in axis.get_majorticklocs() if low <= place <= high]
    rounder = [[place for place in places if f"{place:e}"[0] in digits] for digits in _ROUNDER]
    strides = [places[::stride] for stride in range(2, len(places) + 1)]
    for chosen in [*(each for each in rounder if len(each) > 1 and not is_linear), *strides]:
        axis.set_major_locator(ticker.FixedLocator(chosen))
        yield True


def labels(axis: Axis, renderer: Any) -> Iterator[tuple[str, Bbox]]:
    """The labels that are seen, and where they are in the figure as it was drawn last."""
    low, high = sorted(axis.get_view_interval())
    for tick in axis.get_major_ticks():
        text = tick.label1.get_text()
        if text and tick.label1.get_visible() and low <= tick.get_loc() <= high:
            yield text, tick.label1.get_window_extent(renderer)


def _crowded(axis: Axis, name: str, renderer: Any) -> bool:
    placed = [
        (getattr(box, f"{name}0"), getattr(box, f"{name}1"), box.height, text)
        for text, box in labels(axis, renderer)
    ]
    return any(
        start - end < _GAP[name] * height or text == before
        for (_, end, height, before), (start, _, _, text) in itertools.pairwise(sorted(placed))
    )
