"""From the name of a model to the model."""

from __future__ import annotations

from typing import Any

from tff_lm.models.language_model import LanguageModel
from tff_lm.models.layers import COMPUTE_DTYPES, TiedEmbedding
from tff_lm.models.lora import attach
from tff_lm.models.options import LoraOptions
from tff_lm.models.positions import Positions, SinusoidalPositions
from tff_lm.models.registry import MODELS, POSITIONS


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
      scale_invariant: the variant of `scale_invariant.py`, where there is one.
      positions: one of `POSITIONS`; the others than the default need a model with attention.
      lora: low-rank corrections to its matrices; none by default, and with a rank of 0.
      precision: "float32" or "bfloat16", of the matrix products; weights are float32 in both.
      seed: of the initial weights, which depend on nothing else.

    Raises:
      ValueError: for an unknown name, precision or kind of positions, a value out of range, a
        variant that the model does not have, or corrections to no matrix.
    """
    architecture = MODELS[name]
    if precision not in COMPUTE_DTYPES:
        raise ValueError(f"Unknown precision {precision!r}. Known: {', '.join(COMPUTE_DTYPES)}.")
    if not 0.0 <= dropout < 1.0:
        raise ValueError(f"dropout must lie in [0, 1), not {dropout}.")
    if vocabulary_size < 2:
        raise ValueError(f"vocabulary_size must be at least 2, not {vocabulary_size}.")
    common: dict[str, Any] = {"seed": seed, "precision": precision}
    embedding = TiedEmbedding("embedding", vocabulary_size, architecture.sizes["width"], **common)
    make_body = architecture.scale_invariant if scale_invariant else architecture.body
    if make_body is None:
        having = [known for known, one in MODELS.items() if one.scale_invariant]
        raise ValueError(
            f"model.scale_invariant: {name} has no such variant; these models do: "
            f"{', '.join(having)}."
        )
    options = {"dropout": dropout, **_positions(name, positions), **common}
    body = make_body(**architecture.sizes, **options)
    model = LanguageModel(name, embedding, body, dropout)
    if lora is not None and lora.rank:
        attach(model, lora, seed)
    return model


def _positions(name: str, positions: str) -> dict[str, Positions]:
    """What the body of the model `name` is given to tell places with."""
    chosen = POSITIONS[positions]()
    if MODELS[name].attends:
        return {"positions": chosen}
    if not isinstance(chosen, SinusoidalPositions):
        raise ValueError(
            f"model.positions: {name} reads tokens in order and takes no {positions!r}; leave it "
            "at its default, or choose a model with attention."
        )
    return {}
