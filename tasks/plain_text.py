"""`plain_text`: any text file, or folder of them, without users: for central pre-training.

It streams: neither a file nor the corpus need fit into memory. As a federated corpus, blocks of
lines are pseudo-clients.
"""

import pathlib

from tasks import line_blocks
from tasks.corpus import BadRow, Corpus, CorpusOptions, Reading
from tasks.errors import TaskError
from tasks.readers.data_files import DataFile, existing, find_files
from tasks.registry import CORPORA
from tasks.sentences import split_sentences
from tasks.splitting import SPLITS, split_of
from tasks.tables import PARSERS

_SUFFIXES = (".txt", ".md", ".text")


def _files(options: CorpusOptions) -> tuple[list[pathlib.Path], list[BadRow]]:
    """The file of the options, whatever its name, or the text files of their folder, sorted.

    Returns:
      Them, and the files of the folder that are not read.
    """
    root = existing("plain_text", options.path)
    if root.is_file():
        kind = DataFile(root, root.name).kind
        if kind in PARSERS and kind not in _SUFFIXES:
            raise TaskError(
                f"plain_text: {root} is not read as {kind[1:]} here; task.name=text does so"
            )
        return [root], []
    files, left_out = find_files("plain_text", options.path, _SUFFIXES)
    return [file.path for file in files], left_out


def _read(options: CorpusOptions) -> Reading:
    root = pathlib.Path(options.path or "")
    paths, left_out = _files(options)
    files = line_blocks.number_lines(root, paths)
    size = line_blocks.lines_per_block(files)

    def blocks(split: str) -> line_blocks.LineBlocks:
        def belongs(block: str) -> bool:
            return split_of(block, options.seed) == split

        return line_blocks.LineBlocks(files, size, options, split_sentences, belongs)

    return Reading(
        clients={split: blocks(split) for split in SPLITS},
        bad_rows=[*left_out, *line_blocks.bad_rows(files)],
    )


CORPUS = CORPORA.register("plain_text")(
    Corpus(
        fingerprint=lambda options: line_blocks.fingerprint(_files(options)[0]),
        read=_read,
    )
)
