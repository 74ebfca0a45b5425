"""Settings of the whole test suite: silence before TensorFlow is imported, flags parsed."""

import tff_lm  # noqa: F401  (silences TensorFlow, so it comes first)

from absl import flags

# absltest.main() parses the flags (create_tempdir() reads one); pytest does not call it.
flags.FLAGS.mark_as_parsed()
