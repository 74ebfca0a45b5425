"""Entry points: `python -m bin.train`, or `bazel run //bin:train`."""

import tff_lm  # noqa: F401  (importing it silences TensorFlow before an entry point imports it)
