"""Models and what they are made of, by name. Free of TensorFlow; imports nothing that it names."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tff_lm.registry import Registry

if TYPE_CHECKING:
    import tensorflow as tf

    from tff_lm.models.layers import Norm, SubLayer
    from tff_lm.models.local_mixing import Mixer
    from tff_lm.models.positions import Positions


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A body in one size: what `build.build_model` puts between the tied embedding and the logits.

    Attributes:
      body: makes it from the sizes, and from `dropout`, `seed`, `precision` and, if it attends,
        `recipe`, all by keyword. It maps the embeddings [N, d] of the real tokens of a batch to
        [N, d] (see `layers.SubLayer`, `layers.CallContext`).
      sizes: keyword arguments of `body`; "width" is d, and the embedding's width too.
      scale_invariant: makes the scale-invariant variant of the body; None if there is none.
      attends: whether `body` has attention, and so takes a `recipe.Recipe`.
    """

    body: Callable[..., SubLayer]
    sizes: Mapping[str, int]
    scale_invariant: Callable[..., SubLayer] | None = None
    attends: bool = True


MODELS: Registry[Architecture] = Registry("model", "MODELS", "tff_lm.models")
POSITIONS: Registry[type[Positions]] = Registry(
    "kind of positions", "POSITIONS", "tff_lm.models.positions"
)
ACTIVATIONS: Registry[Callable[[tf.Tensor], tf.Tensor]] = Registry(
    "activation", "ACTIVATIONS", "tff_lm.models.activations"
)
NORMS: Registry[type[Norm]] = Registry(
    "kind of norm", "NORMS", "tff_lm.models.layers", "tff_lm.models.rms_norm"
)
MIXERS: Registry[type[Mixer]] = Registry(
    "kind of local mixing", "MIXERS", "tff_lm.models.local_mixing"
)
