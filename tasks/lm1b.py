"""`lm1b`: the One Billion Word benchmark (Chelba et al. 2013, arXiv 1312.3005), from a local copy.

One sentence a line, in the benchmark's own shards: all training shards train; of the held-out ones
the first is the test split, as in the literature, and the second validates. The tokenizer's spaces
("it 's late , he said .") are taken back, so that words are those of other corpora. It streams.
"""

import pathlib
import re

from tasks import line_blocks
from tasks.corpus import Corpus, CorpusOptions, Reading
from tasks.errors import TaskError
from tasks.registry import CORPORA

_ARCHIVE = "1-billion-word-language-modeling-benchmark-r13output.tar.gz"
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


def _files(options: CorpusOptions) -> dict[str, list[pathlib.Path]]:
    """The shards of each split."""
    remedy = f"download {_ARCHIVE}, unpack it, and give its folder with task.path"
    if options.path is None:
        raise TaskError(f"lm1b: the corpus comes with no package; {remedy}")
    root = pathlib.Path(options.path)
    found = {split: sorted(root.rglob(pattern)) for split, pattern in _PATTERNS.items()}
    for split, files in found.items():
        if not files:
            raise TaskError(f"lm1b: no file {_PATTERNS[split]} in {root} ({split}); {remedy}")
    return found


def _fingerprint(options: CorpusOptions) -> str:
    return line_blocks.fingerprint(path for files in _files(options).values() for path in files)


def _read(options: CorpusOptions) -> Reading:
    root = pathlib.Path(options.path or "")
    files = {
        split: line_blocks.number_lines(root, paths) for split, paths in _files(options).items()
    }
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
