"""`plain_text`: any text file, or folder of them, without users: for central pre-training.

It streams: neither a file nor the corpus need fit into memory. As a federated corpus, blocks of
lines are pseudo-clients.
"""

import pathlib

from tasks import line_blocks
from tasks.corpus import Corpus, CorpusOptions, Reading
from tasks.errors import TaskError
from tasks.registry import CORPORA
from tasks.sentences import split_sentences
from tasks.splitting import SPLITS, split_of

_SUFFIXES = (".txt", ".md", ".text")


def _files(options: CorpusOptions) -> list[pathlib.Path]:
    """The file of the options, whatever its name, or the text files of their folder, sorted."""
    if options.path is None:
        raise TaskError("plain_text: say where your text lies, with task.path (a file or a folder)")
    root = pathlib.Path(options.path)
    if root.is_file():
        return [root]
    files = sorted(each for each in root.rglob("*") if each.suffix in _SUFFIXES and each.is_file())
    if not files:
        raise TaskError(f"plain_text: no file in {root} ends in {', '.join(_SUFFIXES)}")
    return files


def _read(options: CorpusOptions) -> Reading:
    root = pathlib.Path(options.path or "")
    files = line_blocks.number_lines(root, _files(options))
    size = line_blocks.lines_per_block(files)

    def blocks(split: str) -> line_blocks.LineBlocks:
        def belongs(block: str) -> bool:
            return split_of(block, options.seed) == split

        return line_blocks.LineBlocks(files, size, options, split_sentences, belongs)

    return Reading(clients={split: blocks(split) for split in SPLITS})


CORPUS = CORPORA.register("plain_text")(
    Corpus(
        fingerprint=lambda options: line_blocks.fingerprint(_files(options)),
        read=_read,
    )
)
