"""What a report consists of, before it is a web page or Markdown."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

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
      title: what it shows, in a line.
      draw: makes the figure, in the style that is in force when it is called.
      only_page: whether Markdown goes without it.
    """

    name: str
    title: str
    draw: Callable[[], Figure]
    only_page: bool = False


@dataclasses.dataclass(frozen=True)
class Prose:
    """Text in Markdown."""

    text: str


@dataclasses.dataclass(frozen=True)
class Commands:
    """Lines for a shell, folded away."""

    title: str
    lines: tuple[str, ...]


Block = Table | Chart | Prose | Commands


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
