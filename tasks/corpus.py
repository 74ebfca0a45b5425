"""What a corpus is to the rest of `tasks`: a fingerprint, and users' normalized sentences."""

import collections
import dataclasses
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from tasks.normalization import normalize_text
from tasks.splitting import client_fraction, split_all


@dataclasses.dataclass(frozen=True)
class CorpusOptions:
    """How to read a corpus; what changes the result is part of the key of the cache.

    Attributes:
      path: Where the text lies, for a corpus that needs to be told.
      lower_case: Whether to lower the case.
      min_examples: A client with fewer sentences is left out.
      max_examples: A client's sentences beyond this many are left out; None keeps all.
      max_clients: At most this many clients per split, drawn by a stable hash; None keeps all.
      seed: Seed of the split into train, validation and test.
      user_column: Column or key that names the user, in the user's own tables.
      text_column: Column or key that holds the text there.
      unseen: Where the text lies that is measured on only, as a split of its own.
      progress: Whether to show how far a long reading is. This and the places are not part of the
        key.
    """

    path: str | None = None
    lower_case: bool = True
    min_examples: int = 1
    max_examples: int | None = None
    max_clients: int | None = None
    seed: int = 0
    user_column: str = "user"
    text_column: str = "text"
    unseen: str | None = None
    progress: bool = False


@dataclasses.dataclass(frozen=True)
class BadRow:
    """A row, or a whole file, of the user's data that could not be used.

    Attributes:
      source: File, as the user would name it.
      line: Number of the line, from 1, on which the row begins, or of the row in a file without
        lines (Parquet, Arrow, SQLite); 0 for the whole file.
      reason: Why it was left out.
    """

    source: str
    line: int
    reason: str

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.line else self.source
        return f"{place}: {self.reason}"


# A client's id and all of its sentences, normalized, none empty, in a stable order.
ClientText = tuple[str, list[str]]


@dataclasses.dataclass(frozen=True)
class Reading:
    """What was read.

    Attributes:
      clients: For each split, its clients; may be iterated repeatedly (a large corpus streams).
      dropped: Number of sentences left out, by the name of the rule that said so.
      bad_rows: Every row that could not be used.
      facts: What else was counted: tables by name, each of counts by name.
    """

    clients: Mapping[str, Collection[ClientText]]
    dropped: Mapping[str, int] = dataclasses.field(default_factory=dict)
    bad_rows: Sequence[BadRow] = ()
    facts: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Corpus:
    """A corpus; its name is the one under which it is in `tasks.registry.CORPORA`.

    Attributes:
      fingerprint: From the options to a string that changes with the contents of the sources.
        Cheap.
      read: Reads and cleans everything.
      min_examples: Default of `CorpusOptions.min_examples`.
      max_examples: Default of `CorpusOptions.max_examples`.
      reads_unseen: Whether it can read `CorpusOptions.unseen`, as the split "unseen".
    """

    fingerprint: Callable[[CorpusOptions], str]
    read: Callable[[CorpusOptions], Reading]
    min_examples: int = 1
    max_examples: int | None = None
    reads_unseen: bool = False


def hash_file(path: str) -> str:
    """Hexadecimal sha256 of a file's contents."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def normalize_sentences(texts: Iterable[str], options: CorpusOptions) -> list[str]:
    """Normalizes a client's sentences and leaves out those of which nothing remains."""
    normalized = (normalize_text(text, lower_case=options.lower_case) for text in texts)
    return [text for text in normalized if text]


def sample_clients(client_ids: Collection[str], options: CorpusOptions) -> list[str]:
    """At most `max_clients` of the ids, sorted; a larger sample contains every smaller one."""
    if options.max_clients is None or len(client_ids) <= options.max_clients:
        return sorted(client_ids)
    by_hash = sorted(client_ids, key=lambda each: (client_fraction(each, options.seed), each))
    return sorted(by_hash[: options.max_clients])


def read_in_memory(
    texts: Mapping[str, Sequence[str]],
    options: CorpusOptions,
    *,
    dropped: Mapping[str, int] | None = None,
    bad_rows: Sequence[BadRow] = (),
) -> Reading:
    """Normalizes, caps and splits a corpus that fits into memory and has no splits of its own.

    Args:
      texts: For each client, its sentences in a stable order.
      options: The options.
      dropped: What the corpus's own rules left out.
      bad_rows: Rows that could not be used.

    Returns:
      The reading; each split's clients are in the order of their ids.
    """
    counts = collections.Counter(dropped)
    kept = {}
    for client, raw in texts.items():
        kept[client] = normalize_sentences(raw, options)
        counts["nothing_left_when_normalized"] += len(raw) - len(kept[client])
    chosen = choose_clients({client: len(each) for client, each in kept.items()}, options, counts)
    clients = {
        split: [(client, kept[client][: options.max_examples]) for client in ids]
        for split, ids in chosen.items()
    }
    return Reading(clients=clients, dropped=dict(counts), bad_rows=bad_rows)


def choose_clients(
    sizes: Mapping[str, int], options: CorpusOptions, dropped: collections.Counter[str]
) -> dict[str, list[str]]:
    """The clients of each split, of a corpus that has no splits of its own.

    Args:
      sizes: Number of sentences of each client.
      options: The options.
      dropped: What they leave out of the clients is added here.

    Returns:
      Ids, sorted; of each client, the first `max_examples` sentences are to be kept.
    """
    enough = []
    for client, size in sizes.items():
        if size < max(1, options.min_examples):
            dropped["client_below_min_examples"] += size
        else:
            enough.append(client)
            most = size if options.max_examples is None else options.max_examples
            dropped["beyond_max_examples"] += max(0, size - most)
    splits = split_all(enough, options.seed)
    return {split: sample_clients(ids, options) for split, ids in splits.items()}
