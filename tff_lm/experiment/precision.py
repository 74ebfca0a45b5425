"""Which arithmetic "auto" means on this machine."""

from __future__ import annotations

import pathlib

AUTO = "auto"

_CPU_INFO = pathlib.Path("/proc/cpuinfo")
# Processors without one of these emulate bfloat16, slower than float32.
_BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


def resolve(name: str, cpu_info: pathlib.Path = _CPU_INFO) -> str:
    """Turns "auto" into "bfloat16" where the processor computes in it, else into "float32"."""
    if name != AUTO:
        return name
    return "bfloat16" if _BFLOAT16_FLAGS & _cpu_flags(cpu_info) else "float32"


def _cpu_flags(cpu_info: pathlib.Path) -> set[str]:
    try:
        lines = cpu_info.read_text().splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.startswith("flags") for flag in line.split()}
