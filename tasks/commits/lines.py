"""What a single line of a message is, if not prose: rules by name.

The patterns look at the beginning of a line, or take time that is linear in it: a history has
millions of lines, some of them very long.
"""

import re
from collections.abc import Callable

_LONGEST = 2000
# A line that ends as a statement does is one, unless it has this share of plain words.
_STATEMENT_SHARE = 0.7

_BY = (
    "(?:signed|reviewed|tested|reported|acked|suggested|helped|approved|authored|submitted|ported|"
    "spotted|requested|contributed|written|found|fixed|discovered|assisted|based|noticed|pointed|"
    "proposed|inspired|sponsored|improved|mentored|diagnosed|analyzed|debugged|original|"
    "originally|thanks|merged|generated|committed|commented|explained|verified|initially|tweaked|"
    "investigated|external-issue|patch|bug|regression)"
)
_KEY = (
    "(?:cc|cf|from|to|date|subject|links?|bugs?|bugzilla|bz|prs?|refs?|references?|issues?|"
    r"tickets?|upstream|coverity|cid|fixes|closes|resolves|fixed|cve|urls?|see|v\d+|author|"
    "committer|commit|series|gerrit|jira|gitlab|github|version|tests?|branch|patchwork|thanks|"
    "discussion|topic|depends|conflicts?|reviewers?|tag)"
)
_POINTER = (
    "(?:clos(?:es?|ed)|fix(?:es|ed)?|resolv(?:es?|ed)|refs?|bugs?|bz|prs?|issues?|see|tickets?|"
    "cid|coverity|follow-?up(?: to)?|references?|requires|depends on|part of|openzfs|illumos|zfs|"
    "upstream|regression (?:in|from)|(?:this )?(?:partially )?reverts?)"
)
_POINTED_AT = (
    "(?:the )?(?:(?:cid|coverity|bug|commit|issue|pr|bz|gh|openzfs|illumos)s?[ :]{1,2}){0,2}"
    r"[\[(\"]?(?:#|https?:|\d+\b|[0-9a-f]{7,}\b|[\w./-]{1,40}#\d|[A-Z]+-\d+)"
)
_TRAILER = re.compile(
    # Key-With-Dashes: value; KEY=value.
    r"[A-Za-z]+(?:-[A-Za-z]+)+ ?:(?: |$)|[A-Z][A-Z0-9_-]+ ?= ?|"
    rf"{_BY}(?:[ -](?:off|out))?[ -](?:by|on|from|to|with|patch|author)\b.{{0,20}}:|"
    rf"{_KEY}:(?: |$)|{_POINTER}:? {_POINTED_AT}|"
    r"[\[(] ?(?:cherry[ -]?picked|backported|(?:upstream|linux|original|from|commit) |back-?port)|"
    # Such as "[jk: reworded the message]", by whoever applied a patch.
    r"\[[\w .-]{1,20}: .{1,90}\]?$|(?:cherry[ -]?picked from|git-svn|from rev |svn path)",
    re.IGNORECASE,
)
_QUOTE = re.compile(r"[>|]")
_SEPARATOR = re.compile(r"([-=*_~#+])(?: ?\1){2,}|[-=*_~#+.^<>/ ]+$")
_LOG = re.compile(
    # Times, counters, addresses, frames of a stack.
    r"\[ *\d+\.\d+\] |\d+\.\d{3,} |\d{1,2}:\d{2}(?::\d{2}|\s)|\d{4}-\d{2}-\d{2}|"
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? |#\d+ +\S+ |[0-9a-f]{4,}:? [0-9a-f]{2,}\b|"
    r"0x[0-9a-f]{4,}\b|[0-9a-f]{40}$|==\d+==|<\d>|\w+\[\d+\]: |\S{1,60}:\d+(?::\d+)?:|"
    # Words of compilers, tests and kernels.
    r"(?:in file included|in function|call trace|backtrace:|traceback|stack trace:)|"
    r"(?:error|warning|fail|fatal|pass|xfail|ok|not ok|info|debug|err|failed|success|skip|"
    r"make\[\d+\]|ld|cc1|usage|runtime error)(?:\[[\w-]+\])?: ?\S|"
    r"\S{1,60}: (?:error|warning|note|fatal|undefined|in function|command not found)\b",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    # Behind a prompt, or by the name of a program.
    r"\$ ?\S|[%#>] \S|=> ?\S|\S{1,40}[@:]\S{0,40}[~/\]][$#%>]? ?[$#%>] |[\w.-]{1,30}[#>] \S|"
    r"#(?:include|define|if|ifdef|ifndef|endif|else|undef)$|\+ \w|sudo |for \w+ in \S+;|"
    r"(?:git|cd|gcc|clang|echo|cat|grep|sed|printf|export|apt|ls|dd|mkdir|zfs|zpool|ovs-\w+|curl) "
    r"(?:-|\S+[/=.]\S|\$)"
)
_TABLE = re.compile(
    r"\d+ files? changed|(?:create|delete) mode \d|rename \S+ => |\S{1,80} +\| +(?:\d|Bin)"
)
_COLUMNS = re.compile(r"[^\s.!?:;,\"')] {2,}\S")
_GAP = re.compile(r"\S(?: \| | {3,})\S")
_CODE = re.compile(
    r"[{}]|//|/\*|\*/|<[/?!\w][^>]*>\s*$|[\w.\[\]>*()-]{1,40} ?(?::=|[+*/|&-]?=) ?\S+;?$|"
    r"[\w.>-]{1,40}\([^()]*\)[;,]?$|[\w-]+: +\S+$"
)
_PLAIN = re.compile(r"[\"'(\[]*[A-Za-z]+(?:['’-][A-Za-z]+)*[\"')\].,:;!?]*")  # noqa: RUF001
_IDENTIFIER = re.compile(r"[\w./+*{}$@<>=-]*[/_=.\d][\w/+*{}$@<>=-]+|[A-Z][A-Z\d]+")


def _is_table(text: str) -> bool:
    """Whether there are columns: two wide gaps that no full stop explains, or one very wide."""
    return bool(_TABLE.match(text) or _GAP.search(text) or len(_COLUMNS.findall(text)) > 1)


def _is_code(text: str) -> bool:
    """Whether it is a statement, or a list of names."""
    ends = text.endswith((";", "{", "}", "\\"))
    if _CODE.match(text) or (ends and plain_share(text) < _STATEMENT_SHARE):
        return True
    return all(_IDENTIFIER.fullmatch(word.rstrip(",.;:)")) for word in text.split())


# In the order in which they are asked; each is asked of a line without the white space around it.
RULES: dict[str, Callable[[str], object]] = {
    "long_line": lambda text: len(text) > _LONGEST,
    "trailer": _TRAILER.match,
    "quote": _QUOTE.match,
    "separator": _SEPARATOR.match,
    "log": _LOG.match,
    "command": _COMMAND.match,
    "table": _is_table,
    "code": _is_code,
}


def kind(line: str) -> str | None:
    """The name of the first rule that says that a line is not prose; None for prose."""
    text = line.strip()
    return next((name for name, holds in RULES.items() if holds(text)), None)


def plain_share(text: str) -> float:
    """The share of words that are made of letters, within the usual marks; 0 of no words."""
    words = text.split()
    return sum(_PLAIN.fullmatch(word) is not None for word in words) / max(1, len(words))
