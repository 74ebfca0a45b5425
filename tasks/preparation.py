"""From a corpus to the files of a task: vocabulary, clients, statistics, bad rows."""

import collections
import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tasks import client_store, vocabulary_learning
from tasks.cache import cache_key, prepare_folder
from tasks.corpus import Corpus, CorpusOptions, Reading, hash_file
from tasks.counting import Counts, Examples
from tasks.errors import TaskError
from tasks.progress import with_progress
from tasks.vocabulary import Vocabulary
from tasks.windows import Windows

# Part of every cache's key: raise it when a change of code changes what is prepared.
CODE_VERSION = 4

CLIENTS_FILE = "clients.sqlite"
VOCABULARY_FILE = "vocabulary.txt"
STATISTICS_FILE = "statistics.json"
BAD_ROWS_FILE = "bad_rows.txt"

# Of a row, in targets: what `federated.max_length` is by itself.
DEFAULT_MAX_LENGTH = 30

# Memory for words is bounded; of a corpus with more of them, the rarest so far are forgotten.
_MAX_COUNTED_WORDS = 4_000_000


def prepare(
    name: str,
    corpus: Corpus,
    options: CorpusOptions,
    *,
    cache_dir: str,
    vocabulary_size: int,
    vocabulary_path: str | None = None,
    max_length: int = DEFAULT_MAX_LENGTH,
    progress: bool = True,
) -> str:
    """Prepares a corpus, or finds it prepared.

    Args:
      name: The corpus' name.
      corpus: The corpus.
      options: How to read it.
      cache_dir: Folder of all caches.
      vocabulary_size: Rows of a vocabulary to be learned.
      vocabulary_path: A vocabulary to use instead of learning one.
      max_length: Most targets of a row; a longer text becomes several (`tasks.windows`).
      progress: Whether to show a progress line.

    Returns:
      The folder with `CLIENTS_FILE`, `VOCABULARY_FILE`, `STATISTICS_FILE` and `BAD_ROWS_FILE`.

    Raises:
      TaskError: If the sources are missing or unusable, or a split has no client.
    """
    ingredients = dataclasses.asdict(options) | {
        "code_version": CODE_VERSION,
        "corpus": name,
        "fingerprint": corpus.fingerprint(options),
        "max_length": max_length,
        "vocabulary": hash_file(vocabulary_path) if vocabulary_path else vocabulary_size,
    }
    # Sources count by their contents, wherever they lie.
    for name_only in ("path", "unseen", "progress"):
        del ingredients[name_only]
    folder = os.path.join(os.path.expanduser(cache_dir), f"{name}-{cache_key(ingredients)}")

    def fill(temporary: str) -> None:
        reading = corpus.read(options)
        _check_splits(name, reading)
        if vocabulary_path:
            pieces = Vocabulary.load(vocabulary_path)
        else:
            pieces = _learn_vocabulary(reading, vocabulary_size, progress)
        windows = Windows(pieces, max_length)
        _write_files(temporary, reading, pieces, windows, ingredients, progress)

    return prepare_folder(folder, fill)


def _check_splits(name: str, reading: Reading) -> None:
    empty = [split for split, clients in reading.clients.items() if not clients]
    if empty:
        sizes = ", ".join(f"{split} {len(clients)}" for split, clients in reading.clients.items())
        hint = f" ({reading.bad_rows[0]})" if reading.bad_rows else ""
        raise TaskError(
            f"{name}: no clients for {' and '.join(empty)} (clients: {sizes}); give "
            f"more users, or a lower min_examples{hint}"
        )


def _learn_vocabulary(reading: Reading, size: int, progress: bool) -> Vocabulary:
    """Learns from the training clients' text only: held-out people have no say in the pieces."""
    counts: collections.Counter[str] = collections.Counter()
    clients = with_progress(reading.clients["train"], "counting words", progress, unit=" clients")
    for _, texts in clients:
        # Not `+=`, which goes through all words counted so far.
        counts.update(vocabulary_learning.count_words(texts))
        if len(counts) > _MAX_COUNTED_WORDS:
            counts = collections.Counter(dict(counts.most_common(_MAX_COUNTED_WORDS // 2)))
    return vocabulary_learning.learn(counts, size)


def _write_files(
    folder: str,
    reading: Reading,
    pieces: Vocabulary,
    windows: Windows,
    ingredients: dict[str, object],
    progress: bool,
) -> None:
    per_split = {split: Counts() for split in reading.clients}
    examples = Examples(pieces)
    digest = hashlib.sha256(pieces.hash.encode())

    def rows() -> Iterator[client_store.ClientRows]:
        for split, clients in reading.clients.items():
            for client_id, texts in with_progress(
                clients, f"tokenizing {split}", progress, unit=" clients"
            ):
                encoded = pieces.encode(texts)
                rows_of_texts = [windows.rows(ids) for ids in encoded]
                per_split[split].add(pieces, texts, encoded, rows_of_texts, windows.max_length)
                examples.add(split, client_id, texts, encoded, rows_of_texts)
                stored = [row for rows in rows_of_texts for row in rows]
                _add_to_digest(digest, f"{split}/{client_id}", stored)
                yield split, client_id, stored

    client_store.write(os.path.join(folder, CLIENTS_FILE), rows())
    pieces.save(os.path.join(folder, VOCABULARY_FILE))
    _write_lines(folder, BAD_ROWS_FILE, (str(row) for row in reading.bad_rows))
    statistics = {
        "splits": {split: dataclasses.asdict(each) for split, each in per_split.items()},
        "dropped_sentences": dict(reading.dropped),
        "bad_rows": len(reading.bad_rows),
        # Reasons without their particulars, which follow in brackets.
        "bad_rows_by_reason": collections.Counter(
            row.reason.partition(" (")[0] for row in reading.bad_rows
        ),
        "examples": examples.found,
        "facts": reading.facts,
        "vocabulary_size": pieces.size,
        "vocabulary_hash": pieces.hash,
        "data_hash": digest.hexdigest(),
        "max_length": windows.max_length,
        "made_from": ingredients,
    }
    _write_lines(folder, STATISTICS_FILE, [json.dumps(statistics, indent=2)])


def _add_to_digest(digest: Any, client: str, rows: Sequence[Sequence[int]]) -> None:
    """Adds a client's rows, so that no two different ones add the same bytes."""
    digest.update(repr((client, len(rows))).encode())
    digest.update(np.array([len(row) for row in rows], np.int32).tobytes())
    digest.update(np.array([each for row in rows for each in row], np.int32).tobytes())


def _write_lines(folder: str, name: str, lines: Iterable[str]) -> None:
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
