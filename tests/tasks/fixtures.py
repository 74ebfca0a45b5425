"""Small data for the tests of `tasks`."""

import json
import os
import pathlib
import random
import tempfile

from tasks import client_store
from tasks.corpus import BadRow, CorpusOptions
from tasks.readers.data_files import DataFile
from tasks.splitting import split_of
from tasks.tables import PARSERS
from tasks.vocabulary import BOS, EOS

_WORDS = (
    *("the", "cat", "sat", "on", "a", "mat", "and", "ate", "some", "fish", "while", "it"),
    *("rained", "don't", "you", "think", "so?"),
)


def sentences(count: int, *, seed: int, longest: int = 12) -> list[str]:
    """Sentences of 1 to `longest` words."""
    rng = random.Random(seed)
    return [" ".join(rng.choices(_WORDS, k=rng.randint(1, longest))) for _ in range(count)]


def users_of_every_split(per_split: int) -> list[str]:
    """Users so named that each split has this many."""
    users = {"train": [], "validation": [], "test": []}
    number = 0
    while any(len(members) < per_split for members in users.values()):
        name = f"user{number}"
        users[split_of(name, 0)].append(name)
        number += 1
    return [name for members in users.values() for name in members[:per_split]]


def write_json_lines(folder: str, *, per_split: int = 2, each: int = 5) -> str:
    """Writes a corpus for the `text` task; returns its path."""
    path = os.path.join(folder, "messages.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        for seed, user in enumerate(users_of_every_split(per_split)):
            for text in sentences(each, seed=seed):
                file.write(json.dumps({"user": user, "text": text}) + "\n")
    return path


def write_store(folder: str, clients: dict[str, list[list[int]]], split: str = "train") -> str:
    """Writes a store of clients' piece ids ([BOS] and [EOS] are added); returns its path."""
    path = os.path.join(folder, "clients.sqlite")
    rows = {
        client: [[BOS, *pieces, EOS] for pieces in pieces_of_sentences]
        for client, pieces_of_sentences in clients.items()
    }
    client_store.write(path, ((split, client, tokens) for client, tokens in rows.items()))
    return path


def numbered_sentences(lengths: list[int]) -> list[list[int]]:
    """One sentence per length (in pieces), all pieces different, so a sentence is known by any."""
    first = 10
    result = []
    for length in lengths:
        result.append(list(range(first, first + length)))
        first += length
    return result


def parse(
    name: str, content: str | bytes, options: CorpusOptions | None = None
) -> tuple[list[tuple[str, str]], list[tuple[int, str]]]:
    """Good rows of a file of this name, and (line, reason) of the bad ones."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return parse_path(path, options)


def parse_path(
    path: pathlib.Path, options: CorpusOptions | None = None
) -> tuple[list[tuple[str, str]], list[tuple[int, str]]]:
    """Good rows of a file, and (line, reason) of the bad ones."""
    file = DataFile(path, path.name)
    rows = list(PARSERS[file.kind](file, options or CorpusOptions()))
    bad = [(row.line, row.reason) for row in rows if isinstance(row, BadRow)]
    return [row for row in rows if not isinstance(row, BadRow)], bad
