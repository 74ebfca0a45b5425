"""LoRA: low-rank corrections to the dense layers of a model whose own matrices stay as they are.

Hu et al. 2022 (arXiv 2106.09685), section 4.1: W x becomes (W + alpha/r A B) x, in the order of our
products x W. A is drawn and B zero, so that at first nothing is changed. The matrices that are no
layer's alone, the recurrent ones of the LSTM, are corrected before the recurrence starts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tff_lm.models.gradients import gradient_if, matmul
from tff_lm.models.layers import CallContext, SeededNormal, SubLayer
from tff_lm.models.options import LoraOptions

_DOWN, _UP = "lora_a", "lora_b"


class LowRank(SubLayer):
    """The correction of a matrix [m, n], after which it is named: A [m, r] times B [r, n].

    Of `matrices` side by side, B is too.
    """

    def __init__(
        self,
        path: str,
        shape: tuple[int, int],
        options: LoraOptions,
        *,
        seed: int,
        precision: str,
        matrices: int = 1,
    ):
        super().__init__(path, precision)
        self.scale = options.scale
        rows, columns = shape
        drawn = SeededNormal(rows**-0.5, seed, f"{path}/{_DOWN}")
        self.down = self.weight(_DOWN, [rows, options.rank], drawn, True, 1)
        self.up = self.weight(_UP, [options.rank, columns], "zeros", True, matrices)

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, m] -> [N, n], what is added to the product of x and the matrix."""
        narrow = matmul(x, self.down, self.precision, self._trained(_DOWN, context))
        return matmul(narrow, self.up, self.precision, self._trained(_UP, context)) * self.scale

    def matrix(self, context: CallContext) -> tf.Tensor:
        """float32[m, n], what is added to the matrix itself."""
        down = gradient_if(self._trained(_DOWN, context), tf.convert_to_tensor(self.down))
        return matmul(down, self.up, tf.float32, self._trained(_UP, context)) * self.scale

    def trained(self, context: CallContext) -> list[tf.Tensor | None]:
        """The flags of both factors; None for one that always trains."""
        return [self._trained(name, context) for name in (_DOWN, _UP)]

    def _trained(self, name: str, context: CallContext) -> tf.Tensor | None:
        return context.trained.get(f"{self.path}/{name}")


def attach(model: tf.keras.Model, options: LoraOptions, seed: int) -> None:
    """Gives the matrices of a model's layers their corrections.

    Args:
      model: Made of `SubLayer`s, without corrections.
      options: Which, and how.
      seed: Of the initial A.

    Raises:
      ValueError: If no matrix matches, or the rank is 0.
    """
    if options.rank < 1:
        raise ValueError(f"lora rank must be at least 1, not {options.rank}.")
    layers = [module for module in model.submodules if isinstance(module, SubLayer)]
    adaptable = {
        f"{layer.path}/{name}": (layer, name) for layer in layers for name in layer.adaptable
    }
    chosen = {name: each for name, each in adaptable.items() if re.search(options.include, name)}
    if not chosen:
        raise ValueError(
            f"lora: no matrix matches {options.include!r}; there are {', '.join(adaptable)}"
        )
    for path, (layer, name) in chosen.items():
        shape = tuple(layer.named_weights[path].shape)
        common = {"seed": seed, "precision": layer.precision.name}
        layer.adapt(name, LowRank(path, shape, options, matrices=layer.matrices[path], **common))


def is_adapter(name: str) -> bool:
    """Whether a weight, by its name, is part of a correction."""
    return name.rpartition("/")[2] in (_DOWN, _UP)


def merged(weights: Mapping[str, np.ndarray], scale: float) -> dict[str, np.ndarray]:
    """The weights of a model without corrections that computes the same.

    Args:
      weights: By name, with or without corrections.
      scale: `LoraOptions.scale`.
    """

    def value(name: str) -> np.ndarray:
        if f"{name}/{_DOWN}" not in weights:
            return weights[name]
        correction = weights[f"{name}/{_DOWN}"] @ weights[f"{name}/{_UP}"]
        return weights[name] + np.float32(scale) * correction

    return {name: value(name) for name in weights if not is_adapter(name)}
