"""A report as one web page that needs nothing else: style, plots and sorting are in it."""

# bazel: data = page.css page.html page.js

from __future__ import annotations

import html
import pathlib
import string
from collections.abc import Callable
from typing import Any

import markdown

from tff_lm.report.charts import style
from tff_lm.report.document import (
    Cell,
    Chart,
    Charts,
    Column,
    Commands,
    Prose,
    Report,
    Section,
    Table,
    summary_of,
)
from tff_lm.run_folder import files

_HERE = pathlib.Path(__file__).parent


def write(report: Report, path: pathlib.Path) -> None:
    """Writes the page."""
    files.write_text(path, render(report))


def render(report: Report) -> str:
    """The page's HTML."""
    return string.Template(_asset("page.html")).substitute(
        title=html.escape(report.title),
        command=html.escape(report.command),
        note=_prose(Prose(report.note)),
        style=_colours() + _asset("page.css"),
        script=_asset("page.js"),
        contents="\n".join(
            f'<li><a href="#{html.escape(each.name)}">{html.escape(each.title)}</a></li>'
            for each in report.sections
        ),
        sections="\n".join(_section(section) for section in report.sections),
    )


def _asset(name: str) -> str:
    return (_HERE / name).read_text()


def _colours() -> str:
    """The colours of lines as CSS variables, for a light and a dark ground."""

    def rule(colours: tuple[str, ...]) -> str:
        return " ".join(f"--series-{index}: {colour};" for index, colour in enumerate(colours))

    dark = f":root {{ {rule(style.SERIES_IN_THE_DARK)} }}"
    return f":root {{ {rule(style.SERIES)} }}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n"


def _section(section: Section) -> str:
    head = f"<h2>{html.escape(section.title)}</h2>"
    blocks = "".join(_BLOCKS[type(block)](block) for block in section.blocks)
    return f'<section id="{html.escape(section.name)}">{head}{blocks}</section>'


def _prose(block: Prose) -> str:
    return f'<div class="prose">{markdown.markdown(block.text, extensions=["extra"])}</div>'


def _table(block: Table) -> str:
    head = "".join(_head(column) for column in block.columns)
    rows = "".join(f"<tr>{''.join(map(_cell, block.columns, row))}</tr>" for row in block.rows)
    return (
        f'<h3>{html.escape(block.title)}</h3><div class="scroll" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _head(column: Column) -> str:
    kind = ' class="number"' if column.is_number else ""
    return f'<th scope="col"{kind}><button type="button">{html.escape(column.title)}</button></th>'


def _cell(column: Column, cell: Cell) -> str:
    kind = ' class="number"' if column.is_number else ""
    value = "" if cell.value is None else f' data-value="{cell.value!r}"'
    return f"<td{kind}{value}>{html.escape(cell.text)}</td>"


def _figures(block: Charts) -> str:
    """Side by side where there is room."""
    figures = "".join(_figure(chart) for chart in block.charts)
    return _folded(summary_of(block.charts), f'<div class="charts">{figures}</div>')


def _figure(chart: Chart) -> str:
    title = html.escape(chart.title)
    picture = style.svg(chart.draw, chart.name).replace(
        "<svg ", f'<svg role="img" aria-label="{title}" ', 1
    )
    return f"<figure><figcaption>{title}</figcaption>{picture}</figure>"


def _commands(block: Commands) -> str:
    lines = html.escape("\n".join(block.lines))
    return _folded(block.summary, f'<pre tabindex="0"><code>{lines}</code></pre>')


def _folded(summary: str, content: str) -> str:
    return f"<details><summary>{html.escape(summary)}</summary>{content}</details>"


_BLOCKS: dict[type, Callable[[Any], str]] = {
    Prose: _prose,
    Table: _table,
    Charts: _figures,
    Commands: _commands,
}
