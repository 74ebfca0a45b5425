"""The bytes of a run: what every round moved in both directions, as the payloads measured it."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_DIRECTIONS = ("upload", "download")
_BITS = {"upload": "upload_bits", "download": "download_bits"}
FIRST_DOWNLOAD_BITS = "first_download_bits"


class CommunicationLedger:
    """Adds up rounds; its state is a small dictionary of numbers for a checkpoint.

    Every number comes from the measurements of `compression.aggregation` (upload, over all clients)
    and `compression.broadcast` (download, per client). The reduction is against each client sending
    or receiving the full model as float32, whether or not it trained all of it.

    What never changes in a run (`constants` of the broadcast) is charged to each client once, in
    the first round in which it takes part: it is taken to keep it from then on.
    """

    def __init__(self, num_parameters: int, variable_names: Sequence[str] = ()):
        """Initializes an empty ledger.

        Args:
          num_parameters: Size of the full model, frozen variables included.
          variable_names: Names for `by_variable`, in the order of the payloads: trained variables,
            which alone are uploaded, then frozen ones; may be left out.

        Raises:
          ValueError: If `num_parameters` is not positive.
        """
        if num_parameters < 1:
            raise ValueError(f"num_parameters = {num_parameters}: give the size of the full model.")
        self._model_bytes = 4 * num_parameters
        self._variable_names = list(variable_names)
        self._bytes = dict.fromkeys(_DIRECTIONS, 0)
        self._bits_per_variable = {direction: np.zeros([0], np.int64) for direction in _DIRECTIONS}
        self._client_rounds = 0
        self._rounds = 0

    def record_round(
        self,
        cohort: int,
        uploads: Sequence[Mapping[str, Any]],
        downloads: Sequence[Mapping[str, Any]],
        newcomers: int = 0,
    ) -> collections.OrderedDict[str, float]:
        """Adds one round and returns its `communication.*` metrics, with the run's totals.

        Args:
          cohort: The number of real clients of the round (padding with empty ones excluded).
          uploads: The aggregators' measurements: one for the model delta, more if a method
            uploads more (Mime's gradients). Only the first counts towards `by_variable`.
          downloads: The distributors' measurements, per client, likewise. Only the first may
            hold constants: a client gets them once, however often the model is sent in a round.
          newcomers: How many of the cohort take part for the first time in the run.

        Raises:
          ValueError: If a measurement lacks the number of bits, or if more are new than there are.
        """
        if not 0 <= newcomers <= cohort:
            raise ValueError(f"{newcomers} newcomers in a cohort of {cohort}")
        upload_bits = sum(_bits(measured, "upload") for measured in uploads)
        download_bits = cohort * sum(_bits(measured, "download") for measured in downloads)
        if downloads:
            download_bits += newcomers * int(downloads[0].get(FIRST_DOWNLOAD_BITS, 0))
        moved = {"upload": _to_bytes(upload_bits), "download": _to_bytes(download_bits)}
        for direction in _DIRECTIONS:
            self._bytes[direction] += moved[direction]
        self._add_per_variable("upload", uploads, _BITS["upload"], 1)
        self._add_per_variable("download", downloads, _BITS["download"], cohort)
        self._add_per_variable("download", downloads, FIRST_DOWNLOAD_BITS, newcomers)
        self._client_rounds += cohort
        self._rounds += 1
        metrics = _metrics("communication", moved, cohort, self._model_bytes)
        metrics.update(self.totals())
        return metrics

    def totals(self) -> collections.OrderedDict[str, float]:
        """`communication.total.*` of the rounds so far: the same keys as those of a round."""
        return _metrics("communication.total", self._bytes, self._client_rounds, self._model_bytes)

    def by_variable(self) -> collections.OrderedDict[str, dict[str, int]]:
        """Bytes of the run so far for each variable, in both directions."""
        count = max(len(bits) for bits in self._bits_per_variable.values())
        names = self._variable_names or [str(index) for index in range(count)]
        table: collections.OrderedDict[str, dict[str, int]]
        table = collections.OrderedDict((name, {}) for name in names)
        for direction, bits in self._bits_per_variable.items():
            # Frozen variables, which come last, are not uploaded.
            padded = np.pad(bits, [0, max(0, len(names) - len(bits))])
            for name, one in zip(names, padded, strict=False):
                table[name][f"{direction}_bytes"] = _to_bytes(int(one))
        return table

    def state(self) -> dict[str, Any]:
        """Everything counted so far, in plain numbers and lists (JSON-serializable)."""
        return {
            "bytes": dict(self._bytes),
            "bits_per_variable": {k: v.tolist() for k, v in self._bits_per_variable.items()},
            "client_rounds": self._client_rounds,
            "rounds": self._rounds,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continues from what `state` returned."""
        self._bytes = {direction: int(state["bytes"][direction]) for direction in _DIRECTIONS}
        self._bits_per_variable = {
            direction: np.asarray(state["bits_per_variable"][direction], np.int64)
            for direction in _DIRECTIONS
        }
        self._client_rounds = int(state["client_rounds"])
        self._rounds = int(state["rounds"])

    def _add_per_variable(
        self, direction: str, measurements: Sequence[Mapping[str, Any]], bits_key: str, factor: int
    ) -> None:
        key = f"{bits_key}_per_variable"
        if not measurements or key not in measurements[0]:
            return
        bits = np.asarray(measurements[0][key], np.int64) * factor
        counted = self._bits_per_variable[direction]
        self._bits_per_variable[direction] = counted + bits if counted.size else bits


def _bits(measured: Mapping[str, Any], direction: str) -> int:
    key = _BITS[direction]
    if not isinstance(measured, Mapping) or key not in measured:
        raise ValueError(
            f"{direction} measurements without {key!r} cannot be accounted for: build that part "
            'with compression/, codec "identity" for no compression.'
        )
    return int(measured[key])


def _to_bytes(bits: int) -> int:
    return -(-bits // 8)


def _metrics(
    prefix: str, moved: Mapping[str, int], clients: int, model_bytes: int
) -> collections.OrderedDict[str, float]:
    """Bytes, bytes per client and reduction (0 where nothing moved), for both directions."""
    metrics: collections.OrderedDict[str, float] = collections.OrderedDict()
    for direction in _DIRECTIONS:
        amount = moved[direction]
        metrics[f"{prefix}.{direction}_bytes"] = amount
        metrics[f"{prefix}.{direction}_bytes_per_client"] = amount / clients if clients else 0.0
        reduction = clients * model_bytes / amount if amount else 0.0
        metrics[f"{prefix}.{direction}_reduction"] = reduction
    return metrics
