"""A task: a corpus made ready for federated training. Start at `make_task`."""

import dataclasses
import functools
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tff_lm import paths
from tasks import client_store, preparation, scripts
from tasks.cache import default_cache_dir
from tasks.corpus import Corpus, CorpusOptions
from tasks.errors import TaskError, unknown_name
from tasks.options import TaskOptions
from tasks.registry import CORPORA
from tasks.vocabulary import Vocabulary


@dataclasses.dataclass(frozen=True)
class Task:
    """Clients, their vocabulary, and where their data lies.

    Attributes:
      name: Name of the corpus.
      vocabulary: The sub-word vocabulary.
      data_path: SQLite file of clients in the format of `tff.simulation.datasets.SqlClientData`.
      statistics: What was counted while preparing; `statistics["splits"]["train"]["tokens"]` and so
        on.
      folder: Folder of the prepared files.
    """

    name: str
    vocabulary: Vocabulary
    data_path: str
    statistics: Mapping[str, Any]
    folder: str

    @property
    def splits(self) -> Sequence[str]:
        """Its splits: train, validation and test, and unseen where there is such text."""
        return list(self.statistics["splits"])

    @property
    def data_hash(self) -> str:
        """Hexadecimal sha256 of all clients' rows and of the vocabulary: what is trained on."""
        return self.statistics["data_hash"]

    @functools.cached_property
    def words_separated(self) -> bool:
        """Whether words stand between spaces in this text (`tasks.scripts`)."""
        counts = self.statistics["splits"].values()
        return scripts.are_words_separated(
            sum(each["unspaced_characters"] for each in counts),
            sum(each["characters"] for each in counts),
        )

    @property
    def starts_word(self) -> np.ndarray:
        """bool[V]: which pieces count as words; none where words are not separated by spaces."""
        return self.vocabulary.starts_word & self.words_separated

    def client_ids(self, split: str) -> list[str]:
        """Ids of the clients of a split, one of `splits`, sorted."""
        return list(self.client_sizes(split))

    def client_sizes(self, split: str) -> Mapping[str, int]:
        """Number of examples of each client of a split, in the order of the ids."""
        if split not in self.splits:
            raise unknown_name("split", split, self.splits)
        return _client_sizes(self.data_path, split)

    def longest_first(self, split: str, client_ids: Sequence[str], examples: int) -> list[str]:
        """The clients in the order of how much text they train on, the most first.

        Where clients train side by side, the last ones to start decide how long the others wait:
        they should be the short ones (Graham 1969, "Bounds on multiprocessing timing anomalies").

        Args:
          split: "train", "validation" or "test".
          client_ids: Of that split; each at most once.
          examples: At most this many examples of a client are drawn.
        """
        sizes = self.client_sizes(split)
        stored = client_store.client_bytes(self.data_path, split, client_ids)

        def expected_bytes(client_id: str) -> float:
            size = sizes[client_id]
            return stored[client_id] * min(examples, size) / max(size, 1)

        return sorted(client_ids, key=lambda each: (-expected_bytes(each), each))

    def check_client_ids(self, split: str, client_ids: Iterable[str]) -> None:
        """Raises a `TaskError` if an id is not a client's (in a worker it would have no data)."""
        known = self.client_sizes(split)
        for client_id in client_ids:
            if client_id not in known:
                raise unknown_name(f"{split} client", client_id, known)


@functools.lru_cache(maxsize=16)
def _client_sizes(data_path: str, split: str) -> Mapping[str, int]:
    return client_store.client_sizes(data_path, split)


def make_task(
    options: TaskOptions,
    *,
    seed: int = 0,
    max_length: int = preparation.DEFAULT_MAX_LENGTH,
    progress: bool = True,
) -> Task:
    """Prepares a task, or finds it prepared in the cache (then without importing TensorFlow).

    Args:
      options: Its corpus and how that is cut. `vocabulary` is the path of a vocabulary file here.
      seed: Seed of the split into train, validation and test. Not the run's seed: keep it.
      max_length: Most targets of a row, as in `BatchSpec`; longer texts become several rows.
      progress: Whether to show a progress line while preparing.

    Returns:
      The task.

    Raises:
      TaskError: If a name is unknown, or the sources are missing or unusable.
    """
    corpus, corpus_options = _corpus_of(options, seed, progress)
    folder = preparation.prepare(
        options.name,
        corpus,
        corpus_options,
        cache_dir=os.path.abspath(os.path.expanduser(options.cache_dir or default_cache_dir())),
        vocabulary_size=options.vocabulary_size,
        vocabulary_path=options.vocabulary or None,
        max_length=max_length,
        progress=progress,
    )
    return load_task(options.name, folder)


def check_sources(options: TaskOptions) -> None:
    """Raises TaskError if the text of a task is not there, nor can be downloaded."""
    corpus, corpus_options = _corpus_of(options, seed=0)
    corpus.fingerprint(corpus_options)


def _corpus_of(
    options: TaskOptions, seed: int, progress: bool = False
) -> tuple[Corpus, CorpusOptions]:
    """The task's corpus, and how it is read; raises TaskError for an unknown name."""
    if options.name not in CORPORA:
        raise unknown_name("task", options.name, CORPORA)
    corpus = CORPORA[options.name]
    if options.unseen and not corpus.reads_unseen:
        raise TaskError(f"task.unseen: task {options.name!r} has no unseen part; leave it out")
    return corpus, CorpusOptions(
        path=paths.resolve_list(options.path) or None,
        unseen=paths.resolve_list(options.unseen) or None,
        progress=progress,
        lower_case=options.lower_case,
        min_examples=options.min_examples or corpus.min_examples,
        max_examples=options.max_examples or corpus.max_examples,
        max_clients=options.max_clients or None,
        seed=seed,
        user_column=options.user_column,
        text_column=options.text_column,
    )


def load_task(name: str, folder: str) -> Task:
    """The task whose prepared files lie in a folder."""
    try:
        with open(os.path.join(folder, preparation.STATISTICS_FILE), encoding="utf-8") as file:
            statistics = json.load(file)
    except (OSError, ValueError) as error:
        raise TaskError(f"{folder} holds no prepared task ({error})") from error
    return Task(
        name=name,
        vocabulary=Vocabulary.load(os.path.join(folder, preparation.VOCABULARY_FILE)),
        data_path=os.path.join(folder, preparation.CLIENTS_FILE),
        statistics=statistics,
        folder=folder,
    )
