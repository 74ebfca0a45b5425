"""The CIFG-LSTM of the paper, the language model of mobile keyboards: one layer of 2,048 units."""

from __future__ import annotations

import functools

import tensorflow as tf

from tff_lm.models.cifg_layer import CifgLstmLayer
from tff_lm.models.layers import CallContext, Dropout, SubLayer
from tff_lm.models.registry import MODELS, Architecture
from tff_lm.models.scale_invariant import ScaleInvariantCifgLayer


class CifgLstm(SubLayer):
    """The body of the model: one or more CIFG-LSTM layers, [N, d] -> [N, d]."""

    def __init__(
        self,
        *,
        width: int,
        hidden: int,
        layers: int,
        dropout: float,
        seed: int,
        precision: str,
        layer: type[CifgLstmLayer] = CifgLstmLayer,
    ):
        super().__init__("cifg_lstm", precision)
        self.layers = [
            layer(f"lstm_{i}", width, hidden, seed=seed, precision=precision) for i in range(layers)
        ]
        self.dropouts = [Dropout(f"lstm_{i}/dropout", dropout) for i in range(layers)]

    def call(self, x: tf.Tensor, context: CallContext) -> tf.Tensor:
        """[N, d] -> [N, d]."""
        for layer, dropout in zip(self.layers, self.dropouts, strict=True):
            x = dropout(layer(x, context), context)
        return x


def _of_size(width: int, hidden: int = 2048, layers: int = 1) -> Architecture:
    return Architecture(
        CifgLstm,
        {"width": width, "hidden": hidden, "layers": layers},
        scale_invariant=functools.partial(CifgLstm, layer=ScaleInvariantCifgLayer),
        attends=False,
    )


# Small and large: Ro et al. 2022, table 1.
MODELS.register("lstm_tiny")(_of_size(16, hidden=32))
MODELS.register("lstm_small")(_of_size(256))
MODELS.register("lstm_large")(_of_size(1024))
