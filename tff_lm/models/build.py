"""From the name of a model to the model."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tff_lm.models.embedding import TiedEmbedding
from tff_lm.models.language_model import LanguageModel
from tff_lm.models.layers import COMPUTE_DTYPES, SubLayer
from tff_lm.models.logits import Logits
from tff_lm.models.lora import attach
from tff_lm.models.options import LoraOptions, ModelOptions
from tff_lm.models.recipe import Recipe
from tff_lm.models.registry import MODELS, Architecture

# Options of a body's layers, by what the body must have; the others are of every model.
_OF_INVARIANT = frozenset({"positions"})
_OF_ATTENTION = _OF_INVARIANT | {
    "subtract_input",
    "final_gain",
    "alternate_gain",
    "zero_init",
    "activation",
    "norm",
    "biases",
    "qk_norm",
    "value_residual",
    "local_mixing",
}


def build_model(
    name: str,
    vocabulary_size: int,
    *,
    precision: str = "float32",
    lora: LoraOptions | None = None,
    log_frequencies: Sequence[float] | np.ndarray | None = None,
    seed: int = 0,
    **options: Any,
) -> LanguageModel:
    """Builds a named model with its initial weights.

    Args:
      name: one of `MODELS`.
      vocabulary_size: rows of the tied embedding.
      lora: low-rank corrections to its matrices; none by default, and with a rank of 0.
      precision: "float32" or "bfloat16", of the matrix products; weights are float32 in both.
      log_frequencies: float[V], what a `unigram_bias` starts with; 0 by default, which serves for
        shapes, and where the bias is loaded.
      seed: of the initial weights, which depend on nothing else.
      **options: the other fields of `ModelOptions`.

    Raises:
      ValueError: for an unknown name, precision or kind of positions, a value out of range, an
        option or a variant that the model does not have, or corrections to no matrix.
    """
    architecture, chosen = MODELS[name], ModelOptions(name, **options)
    if precision not in COMPUTE_DTYPES:
        raise ValueError(f"Unknown precision {precision!r}. Known: {', '.join(COMPUTE_DTYPES)}.")
    if not 0.0 <= chosen.dropout < 1.0:
        raise ValueError(f"dropout must lie in [0, 1), not {chosen.dropout}.")
    if vocabulary_size < 2:
        raise ValueError(f"vocabulary_size must be at least 2, not {vocabulary_size}.")
    common: dict[str, Any] = {"seed": seed, "precision": precision}
    embedding = TiedEmbedding(
        "embedding",
        vocabulary_size,
        architecture.sizes["width"],
        input_scale=chosen.embedding_scale,
        **common,
    )
    make_body = _variant(architecture, chosen)
    recipe = {"recipe": Recipe.of(chosen)} if architecture.attends else {}
    body = make_body(**architecture.sizes, dropout=chosen.dropout, **recipe, **common)
    bias = _bias(vocabulary_size, log_frequencies) if chosen.unigram_bias else None
    logits = Logits(chosen.logit_cap, bias)
    model = LanguageModel(name, embedding, body, chosen.dropout, logits)
    if lora is not None and lora.rank:
        attach(model, lora, seed)
    return model


def _variant(architecture: Architecture, options: ModelOptions) -> Callable[..., SubLayer]:
    """Makes the body; raises ValueError if it lacks a variant or cannot heed an option."""
    if not architecture.attends:
        _refuse(
            options,
            _OF_ATTENTION,
            f"{options.name} reads tokens in order and takes no",
            "choose a model with attention",
        )
    if not options.scale_invariant:
        return architecture.body
    if architecture.scale_invariant is None:
        having = [known for known, one in MODELS.items() if one.scale_invariant]
        raise ValueError(
            f"model.scale_invariant: {options.name} has no such variant; these models do: "
            f"{', '.join(having)}."
        )
    _refuse(
        options,
        _OF_ATTENTION - _OF_INVARIANT,
        "the scale-invariant variant has layers of its own and takes no",
        "leave out model.scale_invariant",
    )
    return architecture.scale_invariant


def _refuse(options: ModelOptions, names: frozenset[str], why: str, instead: str) -> None:
    """Raises ValueError if one of the options is not at its default."""
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if field.name in names and value != field.default:
            raise ValueError(
                f"model.{field.name}: {why} {value!r}; leave it at its default, or {instead}."
            )


def _bias(size: int, log_frequencies: Sequence[float] | np.ndarray | None) -> np.ndarray:
    """float32[size]; raises ValueError if the frequencies are of another vocabulary."""
    if log_frequencies is None:
        return np.zeros([size], np.float32)
    if len(log_frequencies) != size:
        raise ValueError(
            f"log_frequencies are of {len(log_frequencies)} pieces, not of {size}; count them in "
            "the vocabulary of the model."
        )
    return np.asarray(log_frequencies, np.float32)
