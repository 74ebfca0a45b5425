"""Reading weights by name: from a run's folder (federated or central) or from a SavedModel."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from tff_lm import config as config_lib
from tasks.errors import TaskError
from tasks.preparation import VOCABULARY_FILE
from tasks.vocabulary import Vocabulary
from tff_lm.config import ConfigError
from tff_lm.program import resume
from tff_lm.run_folder.checkpoints import CheckpointStore
from tff_lm.run_folder.errors import RunError
from tff_lm.run_folder.workdir import Workdir


@dataclasses.dataclass(frozen=True)
class Source:
    """Weights to start from.

    Attributes:
      origin: Where they are from, for people.
      weights: float32 arrays by the names of `LanguageModel.weight_names`.
      vocabulary: What the rows of the embedding stand for.
      options: The run's `model` section, which no weight tells; empty if unknown.
    """

    origin: str
    weights: Mapping[str, np.ndarray]
    vocabulary: Vocabulary
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def read(folder: pathlib.Path, which: str) -> Source:
    """Reads the weights in a folder.

    Args:
      folder: A run's or a SavedModel's.
      which: Of a run's checkpoints: "best", "latest" or a round.

    Raises:
      ConfigError: If there are none, or they are damaged.
    """
    try:
        if (folder / "config.json").is_file():
            return _read_run(Workdir(folder), which)
        if (folder / "saved_model.pb").is_file():
            return _read_saved_model(folder)
    except (RunError, TaskError) as error:
        raise ConfigError(f"warm_start.checkpoint: {error}") from error
    raise ConfigError(
        f"warm_start.checkpoint: {folder} is neither the folder of a run (config.json) nor a "
        "SavedModel (saved_model.pb)"
    )


def _read_run(workdir: Workdir, which: str) -> Source:
    store = CheckpointStore(workdir.checkpoints)
    chosen = resume.choose_best(store, which)
    vocabulary = Vocabulary.load(str(workdir.vocabulary))
    if vocabulary.hash != chosen.meta["vocabulary_hash"]:
        raise ConfigError(
            f"warm_start.checkpoint: {workdir.vocabulary} is not the vocabulary that round "
            f"{chosen.round} was trained with; restore it"
        )
    from tff_lm.serving import trained_model

    config = config_lib.read_json(workdir.config)
    weights = trained_model.load_weights(config, chosen)
    origin = f"{workdir.root}, round {chosen.round}"
    return Source(origin, weights, vocabulary, config.model.to_dict())


def _read_saved_model(folder: pathlib.Path) -> Source:
    import tensorflow as tf

    try:
        model = tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise ConfigError(f"warm_start.checkpoint: {folder} cannot be read ({error})") from error
    variables = [each for signature in model.signatures.values() for each in signature.variables]
    weights = {each.name.removesuffix(":0"): each.numpy() for each in variables}
    return Source(str(folder), weights, Vocabulary.load(str(folder / "assets" / VOCABULARY_FILE)))
