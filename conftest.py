"""Settings of the whole test suite: silence before TensorFlow is imported, flags parsed."""

import signal

from absl import flags

import tff_lm  # noqa: F401  (importing it silences TensorFlow)

# absltest.main() parses the flags (create_tempdir() reads one); pytest does not call it.
flags.FLAGS.mark_as_parsed()

# A test run that a shell started in the background ignores Ctrl-C, and so would the programs that
# the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
