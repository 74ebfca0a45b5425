"""Checkpoints: named arrays and a JSON record in one file, whole or not there.

A checkpoint is an uncompressed zip (`np.load` reads it) with one .npy member an array and
`meta.json`; every member carries a CRC-32, which is verified on reading.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import math
import pathlib
import re
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tff_lm.run_folder import files
from tff_lm.run_folder.errors import RunError

_META = "meta.json"
_NAME = re.compile(r"round_(\d+)\.npz$")
# EFBIG: a limit on the size of files; the others: the disk or the user's share of it is full.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """Attributes: round: how many rounds led to it; arrays: by name; meta: JSON values."""

    round: int
    arrays: Mapping[str, np.ndarray]
    meta: Mapping[str, Any]


class CheckpointStore:
    """The checkpoints in one folder: the last `keep` ones and the best-scored one."""

    def __init__(self, folder: pathlib.Path, keep: int = 2) -> None:
        self.folder = folder
        self._keep = keep

    def rounds(self) -> list[int]:
        """The rounds that have a checkpoint file, ascending, whole or not."""
        names = (_NAME.match(path.name) for path in self.folder.glob("round_*.npz"))
        return sorted(int(match.group(1)) for match in names if match)

    def path(self, round_number: int) -> pathlib.Path:
        """The file of a round's checkpoint."""
        return self.folder / f"round_{round_number:06d}.npz"

    def save(
        self, round_number: int, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]
    ) -> None:
        """Writes a checkpoint, then drops those that are neither recent nor best.

        Args:
          round_number: how many rounds led to this state.
          arrays: the state, of any shapes and NumPy's own dtypes.
          meta: JSON values; `meta["score"]`, lower is better, elects the best; None is no score.

        Raises:
          RunError: if it could not be written; the checkpoints before it are untouched.
        """
        path = self.path(round_number)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            files.remove_leftovers(self.folder)
            with files.atomic(path) as file, zipfile.ZipFile(file, "w") as archive:
                for name, array in arrays.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
                archive.writestr(_META, json.dumps({"round": round_number, **meta}))
        except OSError as error:
            raise self._not_written(round_number, arrays, error) from error
        self._drop_old()

    def load(self, round_number: int) -> Checkpoint:
        """Reads one checkpoint; raises RunError if it is missing, truncated or altered."""
        path = self.path(round_number)
        try:
            with zipfile.ZipFile(path) as archive:
                meta = json.loads(archive.read(_META))
                arrays = {
                    name.removesuffix(".npy"): _read_array(archive, name)
                    for name in archive.namelist()
                    if name != _META
                }
        # A damaged zip or .npy header surfaces as any of these.
        except (OSError, zipfile.BadZipFile, ValueError, KeyError, EOFError) as error:
            raise RunError(f"checkpoint {path} cannot be read ({error})") from error
        return Checkpoint(round_number, arrays, meta)

    def latest(self, say: Callable[[str], None] = print) -> Checkpoint | None:
        """The newest whole checkpoint, or None; says which damaged ones were passed over."""
        rounds = self.rounds()
        for round_number in reversed(rounds):
            try:
                return self.load(round_number)
            except RunError as error:
                is_first = round_number == rounds[0]
                say(f"{error}; {'there is none' if is_first else 'trying the one'} before it")
        return None

    def any_whole(self) -> bool:
        """Whether there is something to go on from."""
        return self.latest(say=lambda line: None) is not None

    def best_round(self) -> int | None:
        """The round of the checkpoint with the lowest score, or None if none has one."""
        scores = {number: self._score(number) for number in self.rounds()}
        best = min(scores, key=lambda number: scores[number], default=None)
        return best if best is not None and scores[best] < math.inf else None

    def _score(self, round_number: int) -> float:
        try:
            with zipfile.ZipFile(self.path(round_number)) as archive:
                score = json.loads(archive.read(_META)).get("score")
        except (OSError, zipfile.BadZipFile, ValueError, KeyError):
            return math.inf
        return math.inf if score is None else float(score)

    def _drop_old(self) -> None:
        kept = {*self.rounds()[-self._keep :], self.best_round()}
        for number in self.rounds():
            if number not in kept:
                self.path(number).unlink(missing_ok=True)

    def _not_written(
        self, round_number: int, arrays: Mapping[str, np.ndarray], error: OSError
    ) -> RunError:
        needed = sum(np.asarray(array).nbytes for array in arrays.values()) / 1e6
        rounds = self.rounds()
        kept = f"the one of round {rounds[-1]} is whole" if rounds else "there is none before it"
        remedy = (
            f"free {needed:.0f} MB in {self.folder} and run the same command again"
            if error.errno in _FULL
            else f"make {self.folder} writable and run the same command again"
        )
        return RunError(
            f"the checkpoint of round {round_number} could not be written ({error.strerror}); "
            f"{kept}: {remedy}"
        )


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name) as member:
        array = np.lib.format.read_array(member, allow_pickle=False)
        # The CRC of a member is verified when its end is reached: an empty array stops before it.
        member.read()
    return array
