"""`lm1b`: the One Billion Word benchmark (Chelba et al. 2013, arXiv 1312.3005), downloaded once.

One sentence a line, in the benchmark's own shards: all training shards train; of the held-out ones
the first is the test split, as in the literature, and the second validates. The tokenizer's spaces
("it 's late , he said .") are taken back, so that words are those of other corpora. It streams.
`path` names a folder with the shards, or with the archive.
"""

import os
import pathlib
import re

from tasks import archives, line_blocks
from tasks.cache import default_cache_dir
from tasks.corpus import Corpus, CorpusOptions, Reading
from tasks.download import Source
from tasks.registry import CORPORA

# Size and hash are those that TensorFlow Datasets has of it.
PUBLISHED = archives.Published(
    Source(
        "http://www.statmt.org/lm-benchmark/"
        "1-billion-word-language-modeling-benchmark-r13output.tar.gz",
        1_792_209_805,
        "01ba60381110baf7f189dfd2b8374de371e8c9a340835793f190bdae9e90a34e",
    ),
    "1-billion-word-language-modeling-benchmark-r13output",
    archives.unpack_tar,
)
_PATTERNS = {
    "train": "news.en-[0-9]*-of-[0-9]*",
    "validation": "news.en.heldout-00001-of-[0-9]*",
    "test": "news.en.heldout-00000-of-[0-9]*",
}
_CLOSING = re.compile(r" ([.,!?;:%)\]]|'(?:s|m|d|re|ve|ll)?(?= |$)|n't\b)")
_OPENING = re.compile(r"([(\[$]) ")
_QUOTED = re.compile(r'" ([^"]*?) "')


def undo_tokenization(line: str) -> str:
    """The sentence as it would be typed: marks and contractions join the word they belong to."""
    line = _QUOTED.sub(r'"\1"', line.strip())
    return _OPENING.sub(r"\1", _CLOSING.sub(r"\1", line))


def _root(options: CorpusOptions) -> pathlib.Path:
    """The folder of the shards, downloaded if no path is given and it is nowhere."""
    if options.path is None:
        place = os.path.join(default_cache_dir(), "downloads")
        return pathlib.Path(archives.provide("lm1b", PUBLISHED, [place]))
    return pathlib.Path(archives.find(PUBLISHED, [options.path]) or options.path)


def _files(options: CorpusOptions) -> tuple[pathlib.Path, dict[str, list[pathlib.Path]]]:
    """The folder, and the shards of each split in it."""
    root = _root(options)
    found = {split: sorted(root.rglob(pattern)) for split, pattern in _PATTERNS.items()}
    for split, files in found.items():
        if not files:
            why = f", nor is there a file {_PATTERNS[split]} ({split})"
            raise PUBLISHED.missing("lm1b", [str(root)], why)
    return root, found


def _fingerprint(options: CorpusOptions) -> str:
    _, shards = _files(options)
    return line_blocks.fingerprint(path for files in shards.values() for path in files)


def _read(options: CorpusOptions) -> Reading:
    root, shards = _files(options)
    files = {split: line_blocks.number_lines(root, paths) for split, paths in shards.items()}
    size = line_blocks.lines_per_block(files["train"])
    return Reading(
        clients={
            split: line_blocks.LineBlocks(
                numbered, size, options, lambda line: (undo_tokenization(line),)
            )
            for split, numbered in files.items()
        },
        bad_rows=[row for numbered in files.values() for row in line_blocks.bad_rows(numbered)],
    )


CORPUS = CORPORA.register("lm1b")(Corpus(fingerprint=_fingerprint, read=_read))
