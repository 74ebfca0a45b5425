"""What a report consists of, before it is a web page or Markdown."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class Column:
    """The head of a column; numbers are set flush right."""

    title: str
    is_number: bool = True


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell: what is shown, and the number behind it, by which the page sorts."""

    text: str
    value: float | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """A table; each row has a cell for every column."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclasses.dataclass(frozen=True)
class Chart:
    """A plot.

    Attributes:
      name: unique in the report; the stem of its file.
      subject: what it shows, in a line.
      draw: makes the figure, in the style that is in force when it is called.
      only_page: whether Markdown goes without it.
      part: which of several plots of one subject it is, such as "1 of 3"; "" of a single one.
    """

    name: str
    subject: str
    draw: Callable[[], Figure]
    only_page: bool = False
    part: str = ""

    @property
    def title(self) -> str:
        """Subject and part."""
        return f"{self.subject}, {self.part}" if self.part else self.subject


@dataclasses.dataclass(frozen=True)
class Charts:
    """Plots, folded away together."""

    charts: tuple[Chart, ...]


@dataclasses.dataclass(frozen=True)
class Prose:
    """Text in Markdown."""

    text: str


@dataclasses.dataclass(frozen=True)
class Commands:
    """Lines for a shell, folded away under a line that says what they do."""

    summary: str
    lines: tuple[str, ...]


Block = Table | Charts | Prose | Commands


def summary_of(charts: Sequence[Chart]) -> str:
    """The line under which plots are folded away: how many there are, and of what."""
    subjects = "; ".join(
        dict.fromkeys(chart.subject[0].lower() + chart.subject[1:] for chart in charts)
    )
    return f"{len(charts)} figures: {subjects}" if charts[1:] else f"Figure: {subjects}"


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
      name: its anchor.
      title: its head.
      blocks: what it consists of, in order.
    """

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclasses.dataclass(frozen=True)
class Report:
    """The whole.

    Attributes:
      title: its head.
      command: the command that makes it.
      note: Markdown, what holds for all sections.
      sections: in order.
    """

    title: str
    command: str
    note: str
    sections: tuple[Section, ...]
