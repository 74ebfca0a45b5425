"""Clients that were left out because something of theirs was not finite; and when that is all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tff_lm.run_folder.errors import RunError

# Rounds in a row without a client that counts, after which nothing better is to be expected.
PATIENCE = 3


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
    for metrics in passes:
        work = metrics["client_work"]
        if _number(metrics.get("finalizer"), "update_non_finite"):
            counts.append(_arrived(metrics["aggregator"]))
        if _number(work, "shared_non_finite"):
            counts.append(_arrived(work["shared_aggregator"]))
    return max(counts)


def _aggregators(metrics: Mapping[str, Any]) -> list[object]:
    return [metrics.get("aggregator"), metrics["client_work"].get("shared_aggregator")]


def _counted(measured: object) -> float:
    return _number(measured, "nonfinite_clients")


def _arrived(aggregator: object) -> float:
    """The clients that came to an aggregator, whether they entered its mean or not."""
    return _counted(aggregator) + _number(aggregator, "clients")


def _number(measured: object, name: str) -> float:
    """A measurement, 0 where it was not made."""
    return float(measured.get(name, 0)) if isinstance(measured, Mapping) else 0.0


def check_progress(rows: Sequence[Mapping[str, float]]) -> None:
    """Ends a run whose every client is rejected, round after round.

    Args:
      rows: of metrics.csv so far.

    Raises:
      RunError: if all clients of each of the last `PATIENCE` rounds were rejected.
    """
    last = [row for row in rows if "clients" in row][-PATIENCE:]
    if len(last) == PATIENCE and all(
        0 < row["clients"] <= row["non_finite_clients"] for row in last
    ):
        raise RunError(
            f"every client of the last {PATIENCE} rounds was rejected, as not finite. Most likely "
            "the clients' learning rate is too high: begin anew, in another --workdir, "
            "with a lower --config.algorithm.client_learning_rate or with "
            "--config.algorithm.clip_norm=1"
        )
