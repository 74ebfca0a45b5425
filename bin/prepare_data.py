"""Prepares the data of a task ahead of training, and tells what is in it and where it lies.

    python -m bin.prepare_data --task=chat
    python -m bin.prepare_data --task=text --path=messages.jsonl --user_column=author
    python -m bin.prepare_data --task=git --path=git.git,curl.git --unseen=zfs.git

A training prepares its own data when it must; this shows first what it will find: people,
sentences, words and sub-words by split, the shares of unknown and of cut ones, rows left out with
their reasons and line numbers, and examples of what the model sees.
"""

from collections.abc import Sequence

from absl import flags

from tff_lm import paths
from tasks.options import TaskOptions
from tasks.registry import CORPORA
from tasks.report import describe
from tasks.task import make_task
from tff_lm.commands import failures
from tff_lm.config import ConfigError

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
_MAX_LENGTH = flags.DEFINE_integer(
    "max_length", 30, "sub-words of a row, as federated.max_length; longer texts become several"
)
_USER_COLUMN = flags.DEFINE_string("user_column", "user", "column of the user, for --task=text")
_TEXT_COLUMN = flags.DEFINE_string("text_column", "text", "column of the text, for --task=text")


def main(arguments: Sequence[str]) -> int:
    """Prepares, and prints the statistics; returns the exit code."""
    if arguments:
        raise ConfigError(f"unexpected argument {arguments[0]!r}; write --task=NAME")
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
        ),
        max_length=_MAX_LENGTH.value,
    )
    print(describe(task))
    return 0


def _resolved(path: str | None) -> str:
    return paths.resolve(path) if path else ""


if __name__ == "__main__":
    failures.run(main)
