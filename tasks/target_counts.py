"""How often each piece is a target in the text that may be trained on."""

from __future__ import annotations

import contextlib
import os
import pathlib

import numpy as np

from tasks import client_store
from tasks.task import Task
from tasks.vocabulary import BOS

# Beside the task's folder, after which it is named: in a folder of the cache, one file more
# would count as damage.
_FILE = ".{}.training_counts.npy"


def training_counts(task: Task) -> np.ndarray:
    """int64[V], over all sentences of all training clients, uncut; [BOS] is no target.

    Counted once, and kept beside the task's folder where that can be written.
    """
    folder = pathlib.Path(task.folder)
    file = folder.with_name(_FILE.format(folder.name))
    if file.is_file():
        kept: np.ndarray = np.load(file)
        return kept
    counts = _count(task.data_path, task.vocabulary.size)
    # By a name of its own, so that nobody reads half of it; a cache may be for reading alone.
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        with temporary.open("wb") as opened:
            np.save(opened, counts)
        temporary.replace(file)
    return counts


def _count(data_path: str, size: int) -> np.ndarray:
    import tensorflow as tf

    feature = {client_store.TOKENS: tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64)}
    counts = np.zeros([size], np.int64)
    for examples in client_store.all_examples(data_path, "train"):
        tokens = tf.io.parse_example(examples, feature)[client_store.TOKENS].flat_values.numpy()
        counts += np.bincount(tokens, minlength=size)
    counts[BOS] = 0
    return counts
