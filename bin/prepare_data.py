"""Prepares the data of a task ahead of training, and tells what is in it and where it lies.

    python -m bin.prepare_data --task=chat
    python -m bin.prepare_data --task=text --path=messages.jsonl --user_column=author
    python -m bin.prepare_data --task=git --path=git.git,curl.git --unseen=zfs.git

A training prepares its own data when it must; this shows the numbers first.
"""

from collections.abc import Sequence

from absl import app, flags

import tff_lm  # noqa: F401 (first: it silences the libraries below)
from tff_lm import paths
from tasks.errors import TaskError
from tasks.options import TaskOptions
from tasks.registry import CORPORA
from tasks.report import describe
from tasks.task import make_task
from tff_lm.config import command_line

_TASK = flags.DEFINE_string("task", "chat", f"one of {', '.join(CORPORA)}")
_PATH = flags.DEFINE_string("path", None, "file or folder of the text, for a task that needs one")
_UNSEEN = flags.DEFINE_string(
    "unseen", None, "repositories to measure on only, as one more split, for --task=git"
)
_CACHE_DIR = flags.DEFINE_string(
    "cache_dir", None, "folder of prepared data; by default $TFF_LM_CACHE or ~/.cache/tff_lm"
)
_VOCABULARY_SIZE = flags.DEFINE_integer("vocabulary_size", 4000, "rows of the vocabulary")
_VOCABULARY = flags.DEFINE_string(
    "vocabulary", None, "vocabulary file to use; learned if not given"
)
_LOWER_CASE = flags.DEFINE_bool("lower_case", True, "whether to lower the case")
_MIN_EXAMPLES = flags.DEFINE_integer("min_examples", 0, "leave out clients with fewer sentences")
_MAX_EXAMPLES = flags.DEFINE_integer("max_examples", 0, "at most this many sentences a client")
_MAX_CLIENTS = flags.DEFINE_integer("max_clients", 0, "at most this many clients a split")
_USER_COLUMN = flags.DEFINE_string("user_column", "user", "column of the user, for --task=text")
_TEXT_COLUMN = flags.DEFINE_string("text_column", "text", "column of the text, for --task=text")


def main(arguments: Sequence[str]) -> None:
    """Prepares, and prints the statistics; bad input ends with one line and exit code 2."""
    if arguments[1:]:
        command_line.fail(f"unexpected argument {arguments[1]!r}; write --task=NAME")
    try:
        task = make_task(
            TaskOptions(
                name=_TASK.value,
                path=paths.resolve_list(_PATH.value or ""),
                unseen=paths.resolve_list(_UNSEEN.value or ""),
                cache_dir=_resolved(_CACHE_DIR.value),
                vocabulary_size=_VOCABULARY_SIZE.value,
                vocabulary=_resolved(_VOCABULARY.value),
                lower_case=_LOWER_CASE.value,
                min_examples=_MIN_EXAMPLES.value,
                max_examples=_MAX_EXAMPLES.value,
                max_clients=_MAX_CLIENTS.value,
                user_column=_USER_COLUMN.value,
                text_column=_TEXT_COLUMN.value,
            )
        )
    except TaskError as error:
        command_line.fail(error)
    print(describe(task))


def _resolved(path: str | None) -> str:
    return paths.resolve(path) if path else ""


if __name__ == "__main__":
    app.run(main)
