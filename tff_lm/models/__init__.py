"""Keras language models for federated learning; nothing here knows TFF.

TensorFlow comes with `build_model` and `LanguageModel`, at their first use, and not with the names
of the models.
"""

from typing import TYPE_CHECKING, Any

from tff_lm.models.registry import MODELS

if TYPE_CHECKING:
    from tff_lm.models.build import build_model
    from tff_lm.models.language_model import LanguageModel

__all__ = ["MODELS", "LanguageModel", "build_model"]


def __getattr__(name: str) -> Any:
    if name == "build_model":
        from tff_lm.models.build import build_model

        return build_model
    if name == "LanguageModel":
        from tff_lm.models.language_model import LanguageModel

        return LanguageModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
