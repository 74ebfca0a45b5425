"""Keras language models for federated learning; nothing here knows TFF."""

from tff_lm.models.language_model import LanguageModel
from tff_lm.models.registry import MODELS, build_model

__all__ = ["MODELS", "LanguageModel", "build_model"]
