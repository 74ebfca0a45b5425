"""Models and kinds of positions, by name. Free of TensorFlow; imports none of what it names."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tff_lm.registry import Registry

if TYPE_CHECKING:
    from tff_lm.models.layers import SubLayer
    from tff_lm.models.positions import Positions


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A body in one size: what `build.build_model` puts between the tied embedding and the logits.

    Attributes:
      body: makes it from the sizes, and from `dropout`, `seed`, `precision` and, if it attends,
        `positions`, all by keyword. It maps the embeddings [N, d] of the real tokens of a batch to
        [N, d] (see `layers.SubLayer`, `layers.CallContext`).
      sizes: keyword arguments of `body`; "width" is d, and the embedding's width too.
      scale_invariant: makes the scale-invariant variant of the body; None if there is none.
      attends: whether `body` has attention, and so takes `positions`.
    """

    body: Callable[..., SubLayer]
    sizes: Mapping[str, int]
    scale_invariant: Callable[..., SubLayer] | None = None
    attends: bool = True


MODELS: Registry[Architecture] = Registry("model", "MODELS", "tff_lm.models")
POSITIONS: Registry[type[Positions]] = Registry(
    "kind of positions", "POSITIONS", "tff_lm.models.positions"
)
