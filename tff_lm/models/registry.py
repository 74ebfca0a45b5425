"""The named models and their sizes (Ro et al. 2022, table 1), and `build_model`."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable
from typing import Any

from tff_lm.models.cifg_lstm import CifgLstm
from tff_lm.models.conformer import Conformer
from tff_lm.models.language_model import LanguageModel
from tff_lm.models.layers import COMPUTE_DTYPES, SubLayer, TiedEmbedding
from tff_lm.models.lora import attach
from tff_lm.models.options import LoraOptions
from tff_lm.models.positions import POSITIONS, SINUSOIDAL, Positions
from tff_lm.models.scale_invariant import ScaleInvariantCifgLstm, ScaleInvariantTransformer
from tff_lm.models.transformer import Transformer


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A body and its size.

    Attributes:
      body: makes it.
      sizes: keyword arguments of `body`.
      scale_invariant: makes the variant of the body that is scale-invariant; None if there is none.
      attends: whether `body` has attention, and so takes `positions`.
    """

    body: Callable[..., SubLayer]
    sizes: dict[str, int]
    scale_invariant: Callable[..., SubLayer] | None = None
    attends: bool = True


def _lstm(width: int, hidden: int = 2048, layers: int = 1) -> Architecture:
    sizes = {"width": width, "hidden": hidden, "layers": layers}
    return Architecture(CifgLstm, sizes, ScaleInvariantCifgLstm, attends=False)


def _transformer(width: int, hidden: int = 2048, layers: int = 6, heads: int = 8) -> Architecture:
    sizes: dict[str, Any] = {"width": width, "hidden": hidden, "layers": layers, "heads": heads}
    return Architecture(Transformer, sizes, ScaleInvariantTransformer)


def _conformer(
    width: int, hidden: int = 2048, layers: int = 3, heads: int = 8, kernel_size: int = 31
) -> Architecture:
    sizes: dict[str, Any] = {"width": width, "hidden": hidden, "layers": layers, "heads": heads}
    return Architecture(Conformer, sizes | {"kernel_size": kernel_size})


MODELS: dict[str, Architecture] = {
    "lstm_tiny": _lstm(16, hidden=32),
    "lstm_small": _lstm(256),
    "lstm_large": _lstm(1024),
    "transformer_tiny": _transformer(16, hidden=32, layers=2, heads=2),
    "transformer_small": _transformer(128),
    "transformer_large": _transformer(512),
    "conformer_tiny": _conformer(16, hidden=32, layers=1, heads=2, kernel_size=3),
    "conformer_large": _conformer(512),
}


def build_model(
    name: str,
    vocabulary_size: int,
    *,
    dropout: float = 0.0,
    precision: str = "float32",
    scale_invariant: bool = False,
    positions: str = "sinusoidal",
    lora: LoraOptions | None = None,
    seed: int = 0,
) -> LanguageModel:
    """Builds a named model with its initial weights.

    Args:
      name: one of `MODELS`.
      vocabulary_size: rows of the tied embedding.
      dropout: rate on the embedding and on each residual branch (or LSTM output), 0 to below 1.
      scale_invariant: the variant of `models/scale_invariant.py`, where there is one.
      positions: one of `POSITIONS`; the others than the default need a model with attention.
      lora: low-rank corrections to its matrices; none by default.
      precision: "float32" or "bfloat16", of the matrix products; weights are float32 in both.
      seed: of the initial weights, which depend on nothing else.

    Raises:
      ValueError: for an unknown name, precision or kind of positions, a value out of range, a
        variant that the model does not have, or corrections to no matrix.
    """
    if name not in MODELS:
        near = difflib.get_close_matches(name, MODELS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"Unknown model {name!r}.{hint} Known: {', '.join(MODELS)}.")
    if precision not in COMPUTE_DTYPES:
        raise ValueError(f"Unknown precision {precision!r}. Known: {', '.join(COMPUTE_DTYPES)}.")
    if not 0.0 <= dropout < 1.0:
        raise ValueError(f"dropout must lie in [0, 1), not {dropout}.")
    if vocabulary_size < 2:
        raise ValueError(f"vocabulary_size must be at least 2, not {vocabulary_size}.")
    architecture = MODELS[name]
    common: dict[str, Any] = {"seed": seed, "precision": precision}
    embedding = TiedEmbedding("embedding", vocabulary_size, architecture.sizes["width"], **common)
    make_body = architecture.scale_invariant if scale_invariant else architecture.body
    if make_body is None:
        having = [known for known, one in MODELS.items() if one.scale_invariant]
        raise ValueError(f"{name} has no scale-invariant variant; these do: {', '.join(having)}.")
    body = make_body(**architecture.sizes, dropout=dropout, **_positions(name, positions), **common)
    model = LanguageModel(name, embedding, body, dropout)
    if lora is not None:
        attach(model, lora, seed)
    return model


def _positions(name: str, positions: str) -> dict[str, Positions]:
    """What the body of the model `name` is given to tell places with."""
    if positions not in POSITIONS:
        raise ValueError(f"Unknown positions {positions!r}. Known: {', '.join(POSITIONS)}.")
    if MODELS[name].attends:
        return {"positions": POSITIONS[positions]}
    if POSITIONS[positions] is not SINUSOIDAL:
        raise ValueError(f"{name} reads tokens in order and takes no positions={positions!r}.")
    return {}
