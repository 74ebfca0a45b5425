"""How much memory a run took, over all of its processes."""

from __future__ import annotations

import re

import psutil

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


def peak_memory_bytes() -> int:
    """The sum over this process and its living descendants of each one's peak resident memory."""
    own = psutil.Process()
    return sum(_peak(process.pid) for process in (own, *own.children(recursive=True)))


def _peak(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/status") as file:
            match = _PEAK.search(file.read())
    except OSError:  # it has just ended
        return 0
    return int(match.group(1)) * 1024 if match else 0
