"""Text without users: blocks of consecutive lines stand in for clients, read as they are needed.

A corpus of many gigabytes passes through a block at a time, in preparation as in training.
"""

import dataclasses
import hashlib
import itertools
import os
import pathlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from tasks.corpus import BadRow, ClientText, CorpusOptions, normalize_sentences, sample_clients
from tasks.readers.data_files import printable
from tasks.readers.text_files import is_utf8, numbered_lines

# Few enough lines that blocks shuffle well, enough that a small corpus has blocks in every split.
_MAX_LINES = 1000
_LEAST_BLOCKS = 200


@dataclasses.dataclass(frozen=True)
class NumberedLines:
    """A text file.

    Attributes:
      name: Its path below the folder that was given.
      path: Where it lies.
      lines: How many lines it has.
      not_utf8: The numbers of those that are left out.
    """

    name: str
    path: pathlib.Path
    lines: int
    not_utf8: tuple[int, ...] = ()

    def blocks(self, lines_per_block: int) -> list[str]:
        """The ids of the file's blocks."""
        return [f"{self.name}/{n:06d}" for n in range(-(-self.lines // lines_per_block))]


def number_lines(root: pathlib.Path, paths: Sequence[pathlib.Path]) -> list[NumberedLines]:
    """Counts the lines of files below a folder (or of the one file that is the root itself).

    Raises:
      TaskError: If a file is not text in UTF-8 or UTF-16, compressed or not.
    """
    return [_count_lines(_name(root, path), path) for path in paths]


def bad_rows(files: Iterable[NumberedLines]) -> list[BadRow]:
    """The lines that are left out."""
    return [BadRow(file.name, line, "not UTF-8") for file in files for line in file.not_utf8]


def _name(root: pathlib.Path, path: pathlib.Path) -> str:
    return printable(path.name if path == root else path.relative_to(root).as_posix())


def _count_lines(name: str, path: pathlib.Path) -> NumberedLines:
    number, not_utf8 = 0, []
    for number, line in numbered_lines(path):
        if not is_utf8(line):
            not_utf8.append(number)
    return NumberedLines(name, path, number, tuple(not_utf8))


def lines_per_block(files: Iterable[NumberedLines]) -> int:
    """The size of blocks: `_MAX_LINES`, or fewer where that would leave few blocks."""
    lines = sum(file.lines for file in files)
    return max(1, min(_MAX_LINES, lines // _LEAST_BLOCKS))


def fingerprint(paths: Iterable[pathlib.Path]) -> str:
    """Hash of the files' names, sizes and times: hashing gigabytes at every start takes minutes."""
    digest = hashlib.sha256()
    for path in paths:
        status = os.stat(path)
        digest.update(f"{path.name!r} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


class LineBlocks(Collection):
    """A split's blocks of lines, read from the files each time they are iterated."""

    def __init__(
        self,
        files: Sequence[NumberedLines],
        size: int,
        options: CorpusOptions,
        sentences_of: Callable[[str], Iterable[str]],
        belongs: Callable[[str], bool] = lambda block: True,
    ):
        """Chooses the blocks.

        Args:
          files: Where the text lies.
          size: Lines of a block.
          options: How to read it; `max_clients` counts blocks, `max_examples` cuts each.
          sentences_of: From a line to its sentences.
          belongs: Which blocks, by id, are of this split.
        """
        self._files, self._size = files, size
        self._options, self._sentences_of = options, sentences_of
        ids = [block for file in files for block in file.blocks(size) if belongs(block)]
        self._ids = frozenset(sample_clients(ids, options))

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, client: object) -> bool:
        return client in self._ids

    def __iter__(self) -> Iterator[ClientText]:
        fewest = max(1, self._options.min_examples)
        for file in self._files:
            for block, lines in zip(file.blocks(self._size), self._blocks(file), strict=True):
                if block not in self._ids:
                    continue
                texts = itertools.chain.from_iterable(map(self._sentences_of, lines))
                sentences = normalize_sentences(texts, self._options)
                if len(sentences) >= fewest:
                    yield block, sentences[: self._options.max_examples]

    def _blocks(self, file: NumberedLines) -> Iterator[list[str]]:
        lines = numbered_lines(file.path)
        while block := list(itertools.islice(lines, self._size)):
            yield [line for _, line in block if is_utf8(line)]
