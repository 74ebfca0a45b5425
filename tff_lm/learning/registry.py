"""What learning is made of, by name; nothing that is registered is imported here."""

from __future__ import annotations

from typing import Any

from tff_lm.registry import Registry

# One file each under algorithms/: classes that `algorithms.algorithm.Algorithm` describes.
ALGORITHMS: Registry[Any] = Registry("algorithm", "ALGORITHMS", "tff_lm.learning.algorithms")
# One file each under optimizers/: dataclasses that `optimizers.optimizer.Optimizer` describes.
OPTIMIZERS: Registry[Any] = Registry("optimizer", "OPTIMIZERS", "tff_lm.learning.optimizers")
AVERAGES: Registry[Any] = Registry("average", "AVERAGES", "tff_lm.learning.averaging")
SCHEDULES: Registry[Any] = Registry("schedule", "SCHEDULES", "tff_lm.learning.schedules")
WEIGHTINGS: Registry[Any] = Registry("weighting", "WEIGHTINGS", "tff_lm.learning.weightings")
POLICIES: Registry[Any] = Registry("policy", "POLICIES", "tff_lm.learning.partial")
ORDERS: Registry[Any] = Registry("order", "ORDERS", "tff_lm.learning.partial")
