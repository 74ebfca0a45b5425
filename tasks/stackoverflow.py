"""`stackoverflow`: TFF's Stack Overflow, with its own three splits, a client at a time.

Held-out users are the validation split. A user may be in both train and test (before and after
2018), so ids are unique within a split only. `path` names a folder or the file itself; without, it
is where TFF keeps it, downloaded once. The file has many gigabytes and is never held in memory.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tasks import archives
from tasks.corpus import (
    ClientText,
    Corpus,
    CorpusOptions,
    Reading,
    normalize_sentences,
    sample_clients,
)
from tasks.download import Source
from tasks.errors import TaskError
from tasks.registry import CORPORA
from tasks.splitting import SPLITS

FILE_NAME = "stackoverflow.sqlite"
# As in `load_data` of TFF 0.87, which states neither a size nor a hash: the server does.
PUBLISHED = archives.Published(
    Source("https://storage.googleapis.com/tff-datasets-public/stackoverflow.sqlite.lzma"),
    FILE_NAME,
    archives.unpack_lzma,
)
# TFF 0.87 keeps it in the first; copies made for earlier versions of this project are in the other.
_PLACES = ("~/.tff", "~/.keras/datasets")
_TFF_SPLITS = {"train": "train", "validation": "heldout", "test": "test"}


class StreamedClients(Collection):
    """A split's clients, read from a TFF `ClientData` each time they are iterated.

    Elements of a client's dataset are mappings with a string `tokens`: a sentence.
    """

    def __init__(self, client_data: Any, options: CorpusOptions):
        self._client_data = client_data
        self._options = options
        self._client_ids = sample_clients(client_data.client_ids, options)

    def __len__(self) -> int:
        return len(self._client_ids)

    def __contains__(self, client: object) -> bool:
        return client in self._client_ids

    def __iter__(self) -> Iterator[ClientText]:
        for client_id in self._client_ids:
            dataset = self._client_data.create_tf_dataset_for_client(client_id)
            if self._options.max_examples is not None:
                dataset = dataset.take(self._options.max_examples)
            texts = [example["tokens"].decode() for example in dataset.as_numpy_iterator()]
            sentences = normalize_sentences(texts, self._options)
            if len(sentences) >= max(1, self._options.min_examples):
                yield client_id, sentences


def reading_of(client_data_by_split: Mapping[str, Any], options: CorpusOptions) -> Reading:
    """A reading of three `ClientData`s, such as `load_data` or `get_synthetic` of TFF give.

    Args:
      client_data_by_split: For each split, its `ClientData`.
      options: The options.

    Returns:
      The reading, which streams.
    """
    return Reading(
        clients={split: StreamedClients(client_data_by_split[split], options) for split in SPLITS}
    )


def database_path(options: CorpusOptions) -> str:
    """Where the file is: at the given path, or where TFF keeps it, downloaded if need be.

    Raises:
      TaskError: If it is not at the given path, cannot be downloaded, or is cut off.
    """
    if options.path is None:
        places = [os.path.expanduser(place) for place in _PLACES]
        path = archives.provide("stackoverflow", PUBLISHED, places)
    elif os.path.isfile(options.path):
        path = options.path
    else:
        found = archives.find(PUBLISHED, [options.path])
        if found is None:
            raise PUBLISHED.missing("stackoverflow", [options.path])
        path = found
    _check_whole(path)
    return path


def _check_whole(path: str) -> None:
    """Raises TaskError if the database is cut off, as TFF's loader leaves it when interrupted."""
    with open(path, "rb") as file:
        head = file.read(100)
    if not head.startswith(b"SQLite format 3\0") or len(head) < 100:
        raise TaskError(f"stackoverflow: {path} is no SQLite file; remove it to get it again")
    # https://www.sqlite.org/fileformat.html, 1.3: the page size (1 stands for 65,536), and the
    # number of pages, which old versions of SQLite did not keep up.
    page = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big") if head[24:28] == head[92:96] else 0
    wanted = pages * (65536 if page == 1 else page)
    if os.path.getsize(path) < wanted:
        raise TaskError(
            f"stackoverflow: {path} is cut off, at {os.path.getsize(path):,} of {wanted:,} bytes; "
            "remove it to get it again"
        )


def _fingerprint(options: CorpusOptions) -> str:
    """Size and time of the file: hashing its contents would take minutes at every start."""
    status = os.stat(database_path(options))
    return f"{status.st_size} {status.st_mtime_ns}"


def _read(options: CorpusOptions) -> Reading:
    import tensorflow as tf
    import tensorflow_federated as tff

    path = database_path(options)
    # The same parsing as TFF's own `load_data`, whose download may be replaced by a copied file.
    spec = {"tokens": tf.TensorSpec([], tf.string)}
    return reading_of(
        {
            split: tff.simulation.datasets.load_and_parse_sql_client_data(path, spec, tff_split)
            for split, tff_split in _TFF_SPLITS.items()
        },
        options,
    )


CORPUS = CORPORA.register("stackoverflow")(
    Corpus(fingerprint=_fingerprint, read=_read, max_examples=1000)
)
