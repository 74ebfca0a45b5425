"""Settings of the whole test suite: silence TensorFlow before any test module imports it."""

import tff_lm  # noqa: F401  (importing it is the point)
