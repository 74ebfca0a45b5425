"""`text`: bring your own: JSON lines, CSV, or a folder of those or of a text file per user."""

import collections
import hashlib
import os

from tasks.corpus import BadRow, Corpus, CorpusOptions, Reading, hash_file, read_in_memory
from tasks.errors import TaskError
from tasks.registry import CORPORA
from tasks.tables import PARSERS, data_files


def _fingerprint(options: CorpusOptions) -> str:
    """Hash of the files' names, below their common folder, and contents."""
    files = data_files(options.path)
    root = os.path.commonpath([file.parent for file in files])
    digest = hashlib.sha256()
    for file in files:
        name = os.path.relpath(file, root)
        digest.update(f"{name!r} {hash_file(str(file))}\n".encode())
    return digest.hexdigest()


def _read(options: CorpusOptions) -> Reading:
    texts = collections.defaultdict(list)
    bad_rows = []
    for file in data_files(options.path):
        for row in PARSERS[file.suffix](file, options):
            if isinstance(row, BadRow):
                bad_rows.append(row)
            else:
                user, text = row
                texts[user].append(text)
    if not texts:
        first = f"; the first of {len(bad_rows)} bad rows is {bad_rows[0]}" if bad_rows else ""
        raise TaskError(f"text: no usable row in {options.path}{first}")
    return read_in_memory(texts, options, bad_rows=bad_rows)


CORPUS = CORPORA.register("text")(Corpus(fingerprint=_fingerprint, read=_read))
