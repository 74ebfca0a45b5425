"""Settings of the whole test suite: silence before TensorFlow is imported, flags parsed."""

from absl import flags

import tff_lm  # noqa: F401  (importing it silences TensorFlow)

# absltest.main() parses the flags (create_tempdir() reads one); pytest does not call it.
flags.FLAGS.mark_as_parsed()
