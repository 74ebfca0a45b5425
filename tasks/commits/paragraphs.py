"""A message cut into paragraphs of prose: blocks of something else go, items of lists stay."""

import collections
import re
from collections.abc import Iterator

from tasks.commits import lines

_FENCE = re.compile(r"\s*(```|~~~)")
_DIFF = re.compile(r"\s*(?:diff --git |--- \S|\+\+\+ \S|@@ -|Index: \S)")
_IN_DIFF = re.compile(r"\s*(?:[-+@\\ ]|diff |index )")
# A list's mark, and the white space after it.
_ITEM = re.compile(r"\s*(?:[-*+•o]|\(?\d{1,2}[.):]|\(?[a-z][.)]|\(?[ivx]{1,4}\)|\[\d+\])\s+(?=\S)")
# Of a subject: "[PATCH 3/5] ".
_TAG = re.compile(r"\s*\[[^\]]{1,40}\]:?\s*")
_REVERT = re.compile(r"(?:re-?)?(?:revert|apply|land)(?:ed|s)?\b:? [\"'“]|revert\b", re.IGNORECASE)
_REFERENCE = re.compile(
    r"\s*[(\[](?:(?:bug|bz|pr|issue|fixes|closes|cve|gh|cid|coverity)\b[^()\[\]]{0,60}|#[\d, #]+|"
    r"ci skip|skip ci|ci)[)\]]",
    re.IGNORECASE,
)
# What a subject or an entry of a ChangeLog is about: "src/a.c (main, usage): ", "dm: x86: ".
_FUNCTIONS = re.compile(r"\s*\([^()\s]+(?:,? [^()\s]+){0,20}\)(?: ?[<\[][^\]>]{0,60}[>\]])?:\s")
_PLACE = re.compile(r"\S{0,120}(?: ?\([^()]{1,400}\))?(?: ?[<\[][^\]>]{1,60}[>\]])*:\s+(?=\S)")
_LIKE_A_PLACE = re.compile(r"[./_()*]|[a-z][A-Z]")
_MOST_AREA_WORDS = 3
_CODE_INDENT = 4
_TAB = 8
# Where a paragraph stops because the line after it is none of prose.
_CUT = None


def split(message: str, removed: collections.Counter[str]) -> Iterator[str]:
    """Yields the paragraphs of a message, each as one line; the first is its subject.

    A sentence that a block of something else interrupts is left out with it.

    Args:
      message: As git has it.
      removed: Counts the lines left out, by rule, and under "prose" those that stay.
    """
    subject, _, body = message.lstrip("\n").partition("\n")
    paragraph = _subject(subject, removed)
    if paragraph and (not body or body[0].isspace()):
        yield _joined(paragraph, False, False)
        paragraph = []
    begins_cut = False
    for line in _prose_lines(body, removed):
        if line is _CUT or not line.strip() or _ITEM.match(line) or _FUNCTIONS.match(line):
            if paragraph:
                yield _joined(paragraph, begins_cut, line is _CUT)
            paragraph, begins_cut = [], line is _CUT
        if line is not _CUT and line.strip():
            paragraph.append(line)
    if paragraph:
        yield _joined(paragraph, begins_cut, False)


def _subject(line: str, removed: collections.Counter[str]) -> list[str]:
    """The subject, if it is prose, without its tags and what it is about.

    One that quotes the subject of another commit is its author's, not this one's.
    """
    if tag := _TAG.match(line):
        line = line[tag.end() :]
    whole, line = line, _without_area(line)
    if not line.strip():
        return []
    reverts = _REVERT.match(whole) or _REVERT.match(line)
    name = "revert" if reverts else lines.kind(line)
    removed[name or "prose"] += 1
    return [] if name else [line.strip()]


def _prose_lines(body: str, removed: collections.Counter[str]) -> Iterator[str | None]:
    """The lines of prose, and the empty ones; `_CUT` for a line of something else."""
    fenced = diff = trailers = False
    # Up to where a line may be indented and still be prose: as far as the item that it goes on.
    reach = 0
    for line in body.expandtabs(_TAB).splitlines():
        name = None
        if _FENCE.match(line):
            fenced, name = not fenced, "fence"
        elif fenced:
            name = "fence"
        elif not line.strip():
            trailers = False
            yield ""
            continue
        elif _DIFF.match(line) or (diff and _IN_DIFF.match(line)):
            diff, name = True, "diff"
        else:
            diff = False
            name, reach = _of_text(line, reach)
            # What follows a trailer without an empty line goes on with it.
            trailers = trailers or name == "trailer"
            name = "trailer" if trailers else name
        removed[name or "prose"] += 1
        if name is None:
            yield line
        else:
            yield "" if name == "trailer" else _CUT


def _of_text(line: str, reach: int) -> tuple[str | None, int]:
    """The rule that leaves a line out, if one does, and up to where the next may be indented."""
    item = _ITEM.match(line)
    indent = len(line) - len(line.lstrip())
    if item and (indent < _CODE_INDENT or indent in (_TAB, reach)):
        return lines.kind(_without_place(line[item.end() :])), item.end()
    if indent >= _CODE_INDENT and indent > reach + 1:
        return "indented", reach
    return lines.kind(_without_place(line)), reach if indent else 0


def _joined(paragraph: list[str], begins_cut: bool, ends_cut: bool) -> str:
    """One line out of many, without the list's mark; words that a hyphen cuts are whole again."""
    first, *rest = paragraph
    if item := _ITEM.match(first):
        first = first[item.end() :]
    text = _without_place(first.strip())
    for line in rest:
        follows = line.strip()
        cut = text[-1:] == "-" and text[-2:-1].isalpha() and follows[:1].islower()
        text += follows if cut else " " + follows
    text = _REFERENCE.sub("", text)
    if begins_cut and text[:1].islower():
        text = text.partition(". ")[2]
    if ends_cut and not text.endswith((".", "!", "?", ":", ")")):
        text = "".join(text.rpartition(". ")[:2]).strip()
    return text


def _without_area(text: str) -> str:
    """A subject without what it is about, however often that is said."""
    while True:
        text = _without_place(text.lstrip())
        head, colon, rest = text.partition(": ")
        if not colon or len(head.split()) > _MOST_AREA_WORDS or not rest.strip():
            return text
        text = rest


def _without_place(text: str) -> str:
    """A line without the file and the functions that it is about, as ChangeLogs begin."""
    text = text.lstrip()
    place = _PLACE.match(text)
    if place and _LIKE_A_PLACE.search(place[0].rstrip()[:-1]):
        return text[place.end() :]
    return text
