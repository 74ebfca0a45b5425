"""Entry points: `python -m bin.train`, or `bazel run //bin:train`."""

import signal

import tff_lm  # noqa: F401  (importing it silences TensorFlow before an entry point imports it)

# While a program imports there is nothing to save and nothing to say: Ctrl-C just ends it. Then
# `tff_lm.commands.failures.run` takes over.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
