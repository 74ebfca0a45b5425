"""A run's model outside of any federation: the Keras model with the weights of a checkpoint."""

from __future__ import annotations

import dataclasses

import ml_collections
import numpy as np
import tensorflow as tf

from tasks.vocabulary import Vocabulary
from tff_lm.config import read
from tff_lm.models import build_model, lora
from tff_lm.models.options import LoraOptions, ModelOptions
from tff_lm.models.protocol import ServableModel
from tff_lm.run_folder.checkpoints import Checkpoint
from tff_lm.run_folder.errors import RunError
from tff_lm.run_folder.workdir import Workdir


def load_vocabulary(workdir: Workdir, checkpoint: Checkpoint) -> Vocabulary:
    """The run's vocabulary; raises RunError if the file is not the one of the checkpoint."""
    vocabulary = Vocabulary.load(str(workdir.vocabulary))
    if vocabulary.hash != checkpoint.meta["vocabulary_hash"]:
        raise RunError(
            f"{workdir.vocabulary} is not the vocabulary that round {checkpoint.round} was trained "
            "with; restore it"
        )
    return vocabulary


def load_weights(
    config: ml_collections.ConfigDict, checkpoint: Checkpoint
) -> dict[str, np.ndarray]:
    """The model's weights by name; low-rank corrections are merged into the matrices."""
    leaves = checkpoint.meta["weight_leaves"]
    weights = {name: checkpoint.arrays[leaf] for name, leaf in leaves.items()}
    options = read(config, LoraOptions, "lora")
    return lora.merged(weights, options.scale) if options.rank else weights


def load_model(
    config: ml_collections.ConfigDict, checkpoint: Checkpoint, vocabulary: Vocabulary
) -> ServableModel:
    """The model with the checkpoint's weights, in float32."""
    options = dataclasses.replace(read(config, ModelOptions, "model"), dropout=0.0)
    model = build_model(
        vocabulary_size=vocabulary.size, **dataclasses.asdict(options), seed=config.seed
    )
    weights = load_weights(config, checkpoint)
    for name, variable in zip(model.weight_names, model.trainable_variables, strict=True):
        if name not in weights:
            raise RunError(f"the checkpoint of round {checkpoint.round} has no weight {name}")
        variable.assign(weights[name])
    return model


def next_piece_probabilities(model: ServableModel, tokens: np.ndarray) -> np.ndarray:
    """int32[N, T] without padding -> float32[N, V], the distribution of the piece after each."""
    return tf.nn.softmax(model(tf.constant(tokens))[:, -1]).numpy()
