"""Running text cut into sentences, by rule: for corpora that come as paragraphs."""

import re
from collections.abc import Iterator

# The end of a sentence: its mark, closing quotes or brackets, white space, and then what can begin
# the next one.
_END = re.compile(r"[.!?][\"')\]\u2019\u201d]*\s+(?=[\"'(\[\u2018\u201c]*[A-Z0-9])")
# Without their full stop.
_ABBREVIATIONS = (
    "mr|mrs|ms|dr|st|no|nos|vs|gen|col|lt|capt|sen|rep|gov|hon|rev|jr|sr|messrs|art|sec|pp|vol|fig|"
    "jan|feb|mar|apr|jun|jul|aug|sept|oct|nov|dec|etc|inc|ltd|co"
)
# An abbreviation, or initials ("U.S.").
_NO_END = re.compile(
    rf"[\"'(\[\u2018\u201c]*(?:(?:{_ABBREVIATIONS})|[a-z](?:\.[a-z])*)\.", re.IGNORECASE
)


def split_sentences(text: str) -> Iterator[str]:
    """Yields the sentences of a text; the end of a line ends one, too.

    A full stop after an abbreviation or an initial ends nothing ("Mr. Adams", "U.S. Treasury"); so
    two sentences around one of these stay together.
    """
    for line in text.splitlines():
        start = 0
        for match in _END.finditer(line):
            sentence = line[start : match.end()].strip()
            if not _NO_END.fullmatch(sentence.rpartition(" ")[2]):
                yield sentence
                start = match.end()
        if rest := line[start:].strip():
            yield rest
