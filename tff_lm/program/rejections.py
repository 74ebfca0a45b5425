"""How many clients of a round were left out because something of theirs was not finite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def clients(passes: Sequence[Mapping[str, Any]], of_rows: float) -> float:
    """Counts the clients whose update, loss or gradient entered no mean, for whatever reason.

    The aggregators are asked, for they alone know all of it: what the client says of its training,
    and what its codec could not carry. A client may be rejected by several of the exchanges that a
    round consists of; the count is that of the one that rejected most. If a mean was thrown away
    at the server, all clients that entered it were.

    Args:
      passes: the metrics of each exchange, the training one last.
      of_rows: what clients say of their training in their rows of sums; central training, which
        aggregates nothing, has no other count.
    """
    counts = [of_rows]
    counts += [_counted(measured) for metrics in passes for measured in _aggregators(metrics)]
    trained = passes[-1]
    lost = _number(trained.get("finalizer"), "update_non_finite")
    if lost:
        aggregator = trained["aggregator"]
        counts.append(_counted(aggregator) + _number(aggregator, "clients"))
    return max(counts)


def _aggregators(metrics: Mapping[str, Any]) -> list[object]:
    return [metrics.get("aggregator"), metrics["client_work"].get("shared_aggregator")]


def _counted(measured: object) -> float:
    return _number(measured, "nonfinite_clients")


def _number(measured: object, name: str) -> float:
    """A measurement, 0 where it was not made."""
    return float(measured.get(name, 0)) if isinstance(measured, Mapping) else 0.0
