"""Federated training of next-word-prediction language models on TensorFlow Federated.

Importing this package silences TensorFlow's start-up messages (`tff_lm.quiet`), so import it before
TensorFlow.
"""

from tff_lm.quiet import quiet

quiet()
