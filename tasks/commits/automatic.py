"""Messages that no one wrote, or that only say what was done to a number: rules by name."""

import re
from collections.abc import Callable

from tasks.commits.authors import is_program
from tasks.commits.history import Commit

_MERGE = re.compile(
    r"(?:auto(?:matic(?:ally)?)?[ -]?)?merged?\b:? (?:\"?(?:branch(?:es)?|remote|tags?|pull|"
    r"commits?|topics?|patch series|changes?|master|main|upstream|trunk|origin|from|with|in|of|"
    r"into)\b|['\"]|git\b|https?:|\S+/|\S+\.\S+)|merge$|pull request\b",
    re.IGNORECASE,
)
_AREA = r"(?:\S{1,40}: ?)?"
_VERSION = r"v?\d+(?:[._]\d+)+[\w.~+-]*"
_RELEASE = re.compile(
    rf"{_AREA}(?:\S+ )?{_VERSION}(?: release)?[.!]?$|{_AREA}release-notes\b|"
    rf"{_AREA}(?:retag|tag|prepare|getting ready|preparing|release|update|upgrade|uprev|"
    rf"uprate|start of|open(?:ing)? (?:the )?tree)\b.*\b(?:versions?|release|{_VERSION})\b|"
    rf"{_AREA}(?:post|pre)?-?(?:release|version)\b.{{0,30}}\d|{_AREA}bump(?:ed|s|ing)?\b|"
    r"(?:\w+[- ]){1,4}batch\b|.*\bl10n\b.*\bround\b|"
    r".*\b(?:draft release|release notes?|copyright (?:years?|dates?|notices?))\b|start cycle\b|"
    rf"{_AREA}updated? (?:the )?(?:copyright|year|dates?|changelog|news|authors|thanks|"
    r"contributors|mailmap|draft|what's cooking)\b",
    re.IGNORECASE,
)
_OF_OTHERS = (
    "sub-?modules?|dependency|dependencies|translations?|translated|digest|gnulib|from upstream|"
    "from linux|from branch|to latest|to upstream|upstream|actions?|vendored|bundled"
)
_IMPORT = re.compile(
    rf"{_AREA}(?:initial|first) (?:\w+ )?(?:import|revision|check-?in|commit|version)\b|"
    rf"{_AREA}(?:re-?)?(?:import|sync|resync|regenerate|regen|autogenerate|uprev)"
    r"(?:ed|d|s|hronize)?\b(?!:)|"
    rf"{_AREA}auto(?:matic(?:ally)?)?[ -]?(?:generated|update[ds]?|import(?:ed)?|checkin|date)\b|"
    rf"{_AREA}update[ds]? (?:\S+ ){{0,3}}(?:{_OF_OTHERS})\b|"
    rf"{_AREA}(?:upstream|merge|pull|updates?|updated) (?:\S+ ){{0,2}}(?:from|with) (?:the )?"
    r"(?:gnulib|upstream|linux|master|cvs|svn|translation)\b|(?:fixup|squash)! ",
    re.IGNORECASE,
)
_NO_MESSAGE = re.compile(
    r"\W*(?:empty|no) (?:log|commit) message\W*$|\W*$|(?:created|entered) (?:by|into) (?:cvs|rcs)|"
    r"this commit was (?:manufactured|generated)",
    re.IGNORECASE,
)


def is_merge(commit: Commit) -> bool:
    """Whether the commit joins histories, or says so: its message was made from branches' names."""
    return commit.parents > 1 or _MERGE.match(_subject(commit)) is not None


def is_release(commit: Commit) -> bool:
    """Whether a version, a list of changes or a year is all that it raises."""
    return _RELEASE.match(_subject(commit)) is not None


def is_import(commit: Commit) -> bool:
    """Whether it takes over what others made, or what a program generated."""
    return _IMPORT.match(_subject(commit)) is not None


def has_no_message(commit: Commit) -> bool:
    """Whether there is none, or one that says that there is none."""
    return _NO_MESSAGE.match(_subject(commit)) is not None


def _subject(commit: Commit) -> str:
    return commit.message.lstrip().partition("\n")[0].strip()


# In the order in which they are asked.
RULES: dict[str, Callable[[Commit], bool]] = {
    "merge": is_merge,
    "program": lambda commit: is_program(commit.email, commit.name),
    "no_message": has_no_message,
    "release": is_release,
    "import": is_import,
}
