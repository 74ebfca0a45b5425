"""Benchmarks, run by hand on a machine with nothing else to do; never part of the tests."""

import tff_lm  # noqa: F401  (silences other libraries)
