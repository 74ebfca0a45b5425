"""`chat`: human conversations of 2018, one client a sender (the `chitchat-dataset` package, MIT).

Source: Myers, Etchart and Fulda, "Conversational Scaffolding: An Analogy-Based Approach to Response
Prioritization in Open-Domain Dialogs", 2020. The package's data file is read by its path; its code
is not imported. What is left out, and why, are the named rules below; the counts land in the task's
statistics.
"""

# bazel: imports = chitchat_dataset

import collections
import importlib.util
import itertools
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator

from tasks.corpus import Corpus, CorpusOptions, Reading, hash_file, read_in_memory
from tasks.errors import TaskError
from tasks.registry import CORPORA

# A sender whose 3,195 messages are the output of templates.
TEMPLATE_SENDERS = frozenset({"ed35a50a-b6fe-4a82-9df3-606a9693adde"})
MAX_WORD_LENGTH = 25
REPEATED_MESSAGE_WORDS = 5
_ADDRESS = re.compile(r"https?://|\bwww\.\w|[^\s@]+@[^\s@]+\.\w", re.IGNORECASE)


def is_from_template(sender: str) -> bool:
    """Whether the sender is known to be a program."""
    return sender in TEMPLATE_SENDERS


def has_no_word(text: str) -> bool:
    """Whether the message has no letter and no digit."""
    return not any(character.isalnum() for character in text)


def has_overlong_word(text: str) -> bool:
    """Whether a word has more than `MAX_WORD_LENGTH` characters: keyboard mashing, mostly."""
    return any(len(word) > MAX_WORD_LENGTH for word in text.split())


def is_one_word_repeated(text: str) -> bool:
    """Whether the message is a run of one word, said at least twice, whatever its case."""
    words = text.lower().split()
    return len(words) > 1 and len(set(words)) == 1


def has_address(text: str) -> bool:
    """Whether the message holds an e-mail address or a URL, which nobody should predict."""
    return _ADDRESS.search(text) is not None


class RepeatedMessages:
    """Recognizes a sender's second and later copies of a message of five words or more."""

    def __init__(self):
        self._seen = set()

    def is_repeat(self, sender: str, text: str) -> bool:
        """Whether this sender has sent these words before; remembers them."""
        words = text.lower().split()
        if len(words) < REPEATED_MESSAGE_WORDS:
            return False
        key = (sender, " ".join(words))
        repeated = key in self._seen
        self._seen.add(key)
        return repeated


def _rules() -> dict[str, Callable[[str, str], bool]]:
    """The rules by name, each from (sender, text) to whether to leave the message out, in order."""
    return {
        "template_sender": lambda sender, _: is_from_template(sender),
        "no_word": lambda _, text: has_no_word(text),
        "overlong_word": lambda _, text: has_overlong_word(text),
        "one_word_repeated": lambda _, text: is_one_word_repeated(text),
        "address": lambda _, text: has_address(text),
        # Last, since it remembers: only messages that every other rule keeps count as said before.
        "repeated_message": RepeatedMessages().is_repeat,
    }


def clean(
    messages: Iterable[tuple[str, str]],
) -> tuple[dict[str, list[str]], collections.Counter]:
    """Applies the rules.

    Args:
      messages: Pairs of (sender, text).

    Returns:
      Each sender's kept messages in their order, and the number left out by each rule.
    """
    rules = _rules()
    kept = collections.defaultdict(list)
    dropped = collections.Counter(dict.fromkeys(rules, 0))
    for sender, text in messages:
        broken = next(
            (name for name, leaves_out in rules.items() if leaves_out(sender, text)), None
        )
        if broken is None:
            kept[sender].append(text)
        else:
            dropped[broken] += 1
    return dict(kept), dropped


def dataset_path(options: CorpusOptions) -> str:
    """Path of `dataset.json`: the option's, or the installed package's."""
    if options.path is not None:
        if not os.path.isfile(options.path):
            raise TaskError(
                f"chat: no file at {options.path}; leave task.path out for the package's"
            )
        return options.path
    package = importlib.util.find_spec("chitchat_dataset")
    if package is None or not package.submodule_search_locations:
        raise TaskError(
            "chat: the package chitchat-dataset is missing; pip install chitchat-dataset"
        )
    return os.path.join(package.submodule_search_locations[0], "dataset.json")


def _messages(conversations: dict) -> Iterator[tuple[str, str]]:
    for conversation in conversations.values():
        for message in itertools.chain.from_iterable(conversation["messages"]):
            yield message["sender"], message["text"]


def _read(options: CorpusOptions) -> Reading:
    path = dataset_path(options)
    try:
        with open(path, encoding="utf-8") as file:
            kept, dropped = clean(_messages(json.load(file)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TaskError(f"chat: {path} is not chitchat's dataset.json ({error!r})") from error
    return read_in_memory(kept, options, dropped=dropped)


CORPUS = CORPORA.register("chat")(
    Corpus(
        fingerprint=lambda options: hash_file(dataset_path(options)),
        read=_read,
        min_examples=20,
        max_examples=1000,
    )
)
