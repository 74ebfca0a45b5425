"""The section on the codec benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tff_lm.report.charts import codec_errors
from tff_lm.report.collect import CODEC_BENCHMARK
from tff_lm.report.document import Cell, Chart, Charts, Column, Commands, Prose, Section, Table
from tff_lm.report.table_columns import NOTHING

_TITLE = "Codecs: error against bits, on a real update"
_FIGURE = "Relative squared error against bits a parameter, by codec"
_PROSE = (
    "The update of one client of the chat task, encoded and decoded whole. The client trained "
    "`{model}` on {tokens:,} tokens, in {training_seconds:.2f} s of one thread ({precision}). Bits "
    "are those of the packed payload, the error is relative over all variables, times are of one "
    "thread."
)
_COMMAND = f"python -m benchmarks.codecs --json | tail -n 1 > results/{CODEC_BENCHMARK}"
# Key of `benchmarks.codecs.Row`, head, format.
_COLUMNS = (
    ("bits_per_parameter", "bits a parameter", "{:.3f}"),
    ("entropy_bound", "entropy bound", "{:.3f}"),
    ("relative_squared_error", "relative squared error", "{:.3g}"),
    ("encode_ms", "encode, ms", "{:,.0f}"),
    ("decode_ms", "decode, ms", "{:,.0f}"),
    ("share_of_training", "of the training time", "{:.1%}"),
)


def of(benchmark: Mapping[str, Any]) -> Section:
    """Table, plot and command.

    Args:
      benchmark: what `benchmarks.codecs` prints with --json.
    """
    rows = benchmark["codecs"]
    chart = Chart("codecs_benchmark_error", _FIGURE, partial(codec_errors.draw, rows))
    prose = Prose(_PROSE.format(**benchmark))
    command = Commands("Command: the benchmark that measures this table", (_COMMAND,))
    blocks = (prose, _table(rows), Charts((chart,)), command)
    return Section("codecs_benchmark", _TITLE, blocks)


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    present = [column for column in _COLUMNS if any(row.get(column[0]) is not None for row in rows)]
    heads = [Column("codec", is_number=False), *(Column(title) for _, title, _ in present)]
    lines = [
        (Cell(row["codec"]), *(_cell(row.get(key), form) for key, _, form in present))
        for row in rows
    ]
    return Table("Codecs", tuple(heads), tuple(lines))


def _cell(value: float | None, form: str) -> Cell:
    return Cell(NOTHING) if value is None else Cell(form.format(value), value)
