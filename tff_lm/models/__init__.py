"""Keras language models for federated learning; nothing here knows TFF.

TensorFlow comes with what is imported from here, at its first use.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tff_lm.models.language_model import LanguageModel
    from tff_lm.models.registry import MODELS, build_model

__all__ = ["MODELS", "LanguageModel", "build_model"]


def __getattr__(name: str) -> Any:
    if name == "LanguageModel":
        from tff_lm.models.language_model import LanguageModel

        return LanguageModel
    if name in __all__:
        from tff_lm.models import registry

        return getattr(registry, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
