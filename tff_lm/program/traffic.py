"""What a round sent over the network: the parts of a process that measure it, for the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from compression.ledger import FIRST_DOWNLOAD_BITS, CommunicationLedger

# Where a round's metrics hold measurements. First what every algorithm sends, since the ledger's
# table by variable counts the first of each; then what some share beside the model.
_UPLOADS = (("aggregator",), ("client_work", "shared_aggregator"))
_DOWNLOADS = (("distributor",), ("client_work", "shared_distributor"))

DIRECTIONS = ("upload", "download")


def record(
    ledger: CommunicationLedger,
    passes: Sequence[Mapping[str, Any]],
    newcomers: Callable[[], int],
) -> dict[str, float]:
    """Enters a round into the ledger.

    Args:
      ledger: of the run.
      passes: the metrics of each exchange that the round consists of, the training one last.
      newcomers: how many of the cohort take part for the first time; asked only where frozen
        weights make a difference to them.

    Returns:
      For both directions `..._bytes` (of the cohort), `..._bytes_total` (of the run so far) and
      `..._reduction` (against sending the full model as float32); `upload_error`, the codec's
      relative squared error, where it was measured.
    """
    newest_first = list(reversed(passes))
    cohort = len(passes[-1]["client_work"]["per_client"])
    uploads, downloads = (list(_find(newest_first, paths)) for paths in (_UPLOADS, _DOWNLOADS))
    some_once = any(FIRST_DOWNLOAD_BITS in measured for measured in downloads)
    counted = ledger.record_round(cohort, uploads, downloads, newcomers() if some_once else 0)
    figures = {}
    for direction in DIRECTIONS:
        for name, key in (
            (f"{direction}_bytes", f"communication.{direction}_bytes"),
            (f"{direction}_bytes_total", f"communication.total.{direction}_bytes"),
            (f"{direction}_reduction", f"communication.{direction}_reduction"),
        ):
            figures[name] = float(counted[key])
    aggregator = passes[-1]["aggregator"]
    if "relative_squared_error" in aggregator:
        figures["upload_error"] = float(aggregator["relative_squared_error"])
    return figures


def totals(ledger: CommunicationLedger) -> dict[str, float]:
    """The run's `upload_bytes`, `upload_bytes_per_client`, `upload_reduction`; so for download."""
    return {
        key.removeprefix("communication.total."): value for key, value in ledger.totals().items()
    }


def _find(
    passes: Sequence[Mapping[str, Any]], paths: Sequence[Sequence[str]]
) -> Iterator[Mapping[str, Any]]:
    """The measurements at `paths`, of all passes, where there are any."""
    for path in paths:
        for metrics in passes:
            found: Any = metrics
            for name in path:
                found = found.get(name) if isinstance(found, Mapping) else None
            if found is not None:
                yield found
