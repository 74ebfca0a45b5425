"""The vocabulary that `task.vocabulary` names, so that runs can exchange weights."""

from __future__ import annotations

import pathlib

from tff_lm import paths
from tasks.errors import TaskError
from tasks.options import TaskOptions
from tasks.preparation import VOCABULARY_FILE
from tasks.registry import CORPORA
from tasks.task import Task, check_sources, make_task
from tff_lm.config import ConfigError

# In a run's folder or a prepared task's, and in an exported model.
_PLACES = (VOCABULARY_FILE, f"assets/{VOCABULARY_FILE}")


def file_of(options: TaskOptions) -> str:
    """The path of the vocabulary file.

    A task's name stands for the vocabulary that the task learns by its defaults at
    `task.vocabulary_size`; the task is prepared for that.

    Args:
      options: of the task that is to use it; its paths absolute.

    Raises:
      ConfigError: if there is none.
      TaskError: if the task named cannot be prepared, or the text that is to use it is missing.
    """
    name = options.vocabulary
    if name in CORPORA:
        return str(pathlib.Path(_learned(name, options).folder) / VOCABULARY_FILE)
    path = pathlib.Path(paths.resolve(name))
    for file in (path, *(path / place for place in _PLACES)):
        if file.is_file():
            return str(file)
    raise ConfigError(
        f"task.vocabulary: {name!r} is neither a task ({', '.join(CORPORA)}) nor a vocabulary file "
        f"nor a folder with a {VOCABULARY_FILE}"
    )


def _learned(name: str, options: TaskOptions) -> Task:
    """The task `name`, prepared by its defaults, with the vocabulary that it learns."""
    # First the text itself: whoever lacks that, too, shall hear of it before any other corpus.
    check_sources(options)
    try:
        return make_task(
            TaskOptions(
                name,
                cache_dir=options.cache_dir,
                vocabulary_size=options.vocabulary_size,
                lower_case=options.lower_case,
            )
        )
    except TaskError as error:
        raise TaskError(
            f"task.vocabulary={name}: {error}; --config.task.vocabulary= (empty) learns one from "
            f"{options.name} instead"
        ) from error
