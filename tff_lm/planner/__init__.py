"""The budget planner: which settings keep a client's traffic within so many bytes, before training.

Bytes are those of the codecs themselves, traced on the shapes of the model's variables.
"""

import tff_lm  # noqa: F401  (importing it silences TensorFlow before a module here imports it)
