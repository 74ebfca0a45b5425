"""An optimizer from its name or expression."""

from __future__ import annotations

import dataclasses

from tff_lm import expressions
from tff_lm.learning.optimizers.optimizer import Optimizer
from tff_lm.learning.registry import OPTIMIZERS


def build_optimizer(text: str, **defaults: float | None) -> Optimizer:
    """The optimizer that `text` describes, such as "adam" or "adam(beta_1=0.95)".

    Args:
      text: A name of `OPTIMIZERS`, with or without hyperparameters.
      **defaults: Hyperparameters that `text` leaves open; those that are None, or that the
        optimizer does not have, are left out.

    Raises:
      ValueError: For an unknown name or hyperparameter.
    """
    built = expressions.build(text, OPTIMIZERS)
    given = {name for name, _ in expressions.parse(text, OPTIMIZERS).arguments}
    known = {field.name for field in dataclasses.fields(built)}
    open_ = {
        name: value
        for name, value in defaults.items()
        if name in known and name not in given and value is not None
    }
    chosen: Optimizer = dataclasses.replace(built, **open_)
    return chosen
