"""`bin.export`: a run's model as a SavedModel."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
from collections.abc import Iterator

from tff_lm import config as config_lib
from tff_lm.config import ConfigError
from tff_lm.program import resume
from tff_lm.run_folder.checkpoints import CheckpointStore
from tff_lm.run_folder.workdir import Workdir

_USE = """\
  import tensorflow as tf
  next_words = tf.saved_model.load("{folder}").signatures["next_words"]
  print(next_words(phrases=tf.constant(["how are"])))"""


def export(workdir: Workdir, folder: pathlib.Path, checkpoint: str) -> int:
    """Writes the model of a run, federated or central; returns the exit code.

    Low-rank corrections are merged into the model's matrices.

    Args:
      workdir: The run's folder.
      folder: Of the SavedModel; it must not exist, or be empty.
      checkpoint: "latest", "best" or a round.

    Raises:
      ConfigError: If there is no run in `workdir`, or something in `folder`.
      RunError: If there is no such checkpoint.
    """
    config = config_lib.read_json(workdir.config)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"--out: {folder} is there already; choose another folder")
    chosen = resume.choose_best(CheckpointStore(workdir.checkpoints), checkpoint)
    # TensorFlow would say in a traceback of its own that it cannot.
    folder.mkdir(parents=True, exist_ok=True)
    # After the checks above, since TensorFlow takes seconds to import.
    from tff_lm.serving import saved_model, trained_model

    vocabulary = trained_model.load_vocabulary(workdir, chosen)
    model = trained_model.load_model(config, chosen, vocabulary)
    with _whole(folder) as temporary:
        saved_model.save(
            model,
            vocabulary,
            str(temporary),
            vocabulary_path=str(workdir.vocabulary),
            lower_case=config.task.lower_case,
            max_context=config.federated.max_length,
        )
    print(f"{config.model.name} after round {chosen.round}: {folder}\n")
    print(_USE.format(folder=folder))
    return 0


@contextlib.contextmanager
def _whole(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """A temporary folder that takes the place of an empty one, `folder`, when the block ends well.

    When it fails, neither is left.
    """
    temporary = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        yield temporary
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        folder.rmdir()
        raise
