"""What can be measured, by name; free of TensorFlow, and nothing that is registered is imported."""

from __future__ import annotations

from typing import Any

from tff_lm.registry import Registry

# Subclasses of `tff_lm.learning.evaluation.Measurement`.
EVALUATIONS: Registry[Any] = Registry("evaluation", "EVALUATIONS", "tff_lm.evaluations")
# The evaluation that every run has: checkpoints are compared by it.
VALIDATION = "validation"
# The one of a run that has text from elsewhere, and the name of the split that holds it.
UNSEEN = "unseen"
