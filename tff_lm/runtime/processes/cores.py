"""How many processor cores this process may really use."""

import math
import os
import pathlib
from collections.abc import Callable, Iterator

_CGROUP_ROOT = pathlib.Path("/sys/fs/cgroup")
_SELF_CGROUP = pathlib.Path("/proc/self/cgroup")


def available_cores() -> int:
    """Cores this process may use: its CPU affinity, lowered to its container's quota.

    A quota (cgroup v1 or v2) of 1.5 cores counts as 2: two clients at once use it fully, one would
    waste half a core.
    """
    cores = len(os.sched_getaffinity(0))
    quotas = list(_cgroup_quotas(_CGROUP_ROOT, _SELF_CGROUP))
    return max(1, min([cores, *(math.ceil(quota) for quota in quotas)]))


def _cgroup_quotas(root: pathlib.Path, self_cgroup: pathlib.Path) -> Iterator[float]:
    """Yields every CPU quota, in cores, set on our control group or on a group around it."""
    for controllers, group in _groups(self_cgroup):
        if not controllers:
            yield from _quotas_upwards(root, group, _read_v2)
        elif "cpu" in controllers.split(","):
            yield from _quotas_upwards(root / controllers, group, _read_v1)
            yield from _quotas_upwards(root / "cpu", group, _read_v1)


def _groups(self_cgroup: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Yields (controllers, group path) of each line `hierarchy:controllers:/path`.

    Version 2 names no controllers.
    """
    try:
        lines = self_cgroup.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        yield controllers, group.lstrip("/")


def _quotas_upwards(
    base: pathlib.Path, group: str, read: Callable[[pathlib.Path], float | None]
) -> Iterator[float]:
    """Yields the quotas of `group` and its parents up to `base`.

    Inside a container the group's path may be that of the host; then only `base` itself exists, and
    holds the quota.
    """
    folder = base / group
    while True:
        quota = read(folder)
        if quota is not None:
            yield quota
        if folder == base:
            return
        folder = folder.parent


def _read_v2(folder: pathlib.Path) -> float | None:
    try:
        quota, period = (folder / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else float(quota) / float(period)


def _read_v1(folder: pathlib.Path) -> float | None:
    try:
        quota = float((folder / "cpu.cfs_quota_us").read_text())
        period = float((folder / "cpu.cfs_period_us").read_text())
    except (OSError, ValueError):
        return None
    return None if quota <= 0 else quota / period
