"""Options of where and how rounds are computed."""

from __future__ import annotations

import dataclasses

from tff_lm.options import option

PRECISIONS = ("auto", "float32", "bfloat16")


@dataclasses.dataclass(frozen=True)
class RuntimeOptions:
    """Where and how rounds are computed."""

    precision: str = option("auto", "of matrix products; auto: the processor's", choices=PRECISIONS)
    workers: str = option("", "host:port,... of bin.worker; empty: this machine", fixed=False)
    certificates: str = option("certificates", "folder, for runtime.workers", fixed=False)
    chunk_size: int = option(0, "client updates in memory; 0: auto", minimum=0, fixed=False)
