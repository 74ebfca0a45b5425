"""Who wrote a commit: the name of an author's client, and authors that are programs."""

import hashlib
import re

# Keeps the names apart from plain hashes of addresses, as lists of leaked ones hold them. It is no
# secret, and need not be: whoever has the repository has the addresses.
_SALT = b"tff_lm/git/author/"
_DIGITS = 16

_PROGRAM_NAME = re.compile(
    r"\[bot\]|\bbots?\b|robot\b|-bot\b|\b(?:auto-?(?:roller|update\w*|commit\w*|merge\w*|bump\w*)|"
    r"buildbot|jenkins (?:ci|user|server)|travis[- ]ci|dependabot|renovate|weblate|transifex|"
    r"github[- ]actions?|"
    r"gitlab[- ]ci|continuous integration|cvs2svn|cvs2git|svn2git|translation project)\b",
    re.IGNORECASE,
)
_PROGRAM_ADDRESS = re.compile(
    r"\[bot\]|(?:^|[.+_-])(?:bot|robot|jenkins|buildbot|dependabot|renovate|weblate|ci)@|"
    r"^(?:no-?reply|do-?not-?reply|root|nobody|daemon|cvs|svn|ftp|www|devnull)@|"
    r"autoroll|service-?account|\.gserviceaccount\.com$",
    re.IGNORECASE,
)


def client_name(email: str) -> str:
    """The client's name: a salted hash of the address, 16 hexadecimal digits."""
    return hashlib.sha256(_SALT + email.encode()).hexdigest()[:_DIGITS]


def is_program(email: str, name: str) -> bool:
    """Whether the author is a program, such as a bot, or an account that nobody in person has."""
    return bool(_PROGRAM_NAME.search(name) or _PROGRAM_ADDRESS.search(email))
