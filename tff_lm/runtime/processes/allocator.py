"""How a worker's memory is allocated: a tenth of a small model's round goes into malloc by default.

TensorFlow takes and frees a tensor for every operation. glibc returns blocks above 32 MB to the
system at once, so that each round pays for fresh pages, zeroed by the kernel, and spreads tensors
over one arena a thread, each fragmented by itself. Here freed memory is kept and used again, in
large pages. Another allocator in the user's own LD_PRELOAD stays in force; docs/performance.md
tells what it brings and costs.
"""

from __future__ import annotations

import math

_LARGEST_HEAP_BLOCK_BYTES = 1 << 30
_KEPT_FREE_BYTES = 4 << 30
_THREADS_PER_ARENA = 4


def environment(concurrency: int) -> dict[str, str]:
    """Environment variables for a process in which `concurrency` clients train at once."""
    return {
        "MALLOC_MMAP_THRESHOLD_": str(_LARGEST_HEAP_BLOCK_BYTES),
        "MALLOC_TRIM_THRESHOLD_": str(_KEPT_FREE_BYTES),
        "MALLOC_ARENA_MAX": str(math.ceil(concurrency / _THREADS_PER_ARENA)),
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # heeded from glibc 2.35 on
    }
