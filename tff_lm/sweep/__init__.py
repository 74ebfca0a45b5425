"""Sweeps: many runs of `bin.train` under names, from one file that says what differs between them.

A sweep file (configs/sweeps/*.py) has a `get_sweep()` that returns a `Sweep`. `execute.execute` is
the order of things. Nothing in here imports TensorFlow: every run is a process of its own.
"""

from tff_lm.sweep.definition import Claim, Pretraining, Search, Sweep, grid

__all__ = ["Claim", "Pretraining", "Search", "Sweep", "grid"]
