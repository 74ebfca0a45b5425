"""What a round sent over the network, from the measurements of all parts of the process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_BITS_PER_BYTE = 8


def round_bytes(passes: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Bytes of a round over its cohort, summed over all parts that measure their own.

    Args:
      passes: the metrics of each exchange that the round consists of (Mime has two). Any part may
        report `upload_bits`, over the cohort, and `download_bits`, for one client.

    Returns:
      `upload_bytes` and `download_bytes`, over the cohort.
    """
    return {
        "upload_bytes": sum(bits for metrics in passes for bits in _find(metrics, "upload_bits"))
        / _BITS_PER_BYTE,
        "download_bytes": sum(
            bits * len(metrics["client_work"]["per_client"])
            for metrics in passes
            for bits in _find(metrics, "download_bits")
        )
        / _BITS_PER_BYTE,
    }


def _find(metrics: Mapping[str, Any], name: str) -> Iterator[float]:
    """The values of all entries called `name`, at any depth."""
    for key, value in metrics.items():
        if key == name:
            yield float(value)
        elif isinstance(value, Mapping):
            yield from _find(value, name)
