"""The recipe of today's language models, as changes to a preset: {dotted key: value}.

The parameters stay within 0.5% of the paper's models'. The paper's own recipe is the defaults.
"""

from collections.abc import Mapping

import ml_collections

from tff_lm.config.option import Value

# A run starts at the loss of the unigram model.
_OF_EVERY_MODEL: Mapping[str, Value] = {"model.unigram_bias": True}

_OF_ATTENTION: Mapping[str, Value] = {
    **_OF_EVERY_MODEL,
    "model.positions": "rotary",
    "model.subtract_input": True,
    "model.zero_init": True,
    "model.activation": "squared_relu",
    "model.norm": "rms",
    "model.biases": False,
    "model.qk_norm": True,
    "model.value_residual": True,
    "model.local_mixing": "convolution",
    "model.logit_cap": 30.0,
}


def modern(model: str) -> Mapping[str, Value]:
    """What the model, by its name, has of it."""
    return _OF_EVERY_MODEL if model.startswith("lstm") else _OF_ATTENTION


def apply_modern(config: ml_collections.ConfigDict) -> None:
    """Sets the options for the model that the configuration names."""
    config.update_from_flattened_dict(dict(modern(config.model.name)))
